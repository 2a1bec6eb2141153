"""The options of train-gpt2 that need a process of their own: a vocabulary without weights."""

import pytest
from process import SMALL_GPT2, run, succeed

from gpt2 import encoder


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A folder with texts, and the vocabulary of others."""
    folder = tmp_path_factory.mktemp('place')
    (folder / 'texts.txt').write_text('A red dress.\nA blue dress.\nA red skirt.\nTrousers.\n',
                                      encoding='utf-8')
    (folder / 'words').mkdir()
    encoder.train(['a long red coat', 'a short blue coat'], 270).save(folder / 'words')
    return folder


@pytest.mark.slow
def test_training_with_a_vocabulary_dropout_and_recomputed_layers(place):
    command = ['train-gpt2', '--data', 'texts.txt', *SMALL_GPT2, '--vocabulary', 'words',
               '--dropout', '0.1', '--recompute', 'yes']
    succeed(*command, cwd=place)
    names = [place / folder / 'encoder.json' for folder in ('words', 'runs/gpt2/snapshot')]
    assert names[0].read_bytes() == names[1].read_bytes()
    ids, = (place / 'runs' / 'gpt2').glob('encoded-*.npz')
    succeed('train-gpt2', '--data', ids, *SMALL_GPT2, '--vocabulary', 'words', '--run', 'ids',
            cwd=place)
    code, _, err = run(*command[:-1], 'no', cwd=place)
    assert code == 1 and '--recompute was True, now False' in err


@pytest.mark.parametrize('options, said', [
    (['--start', 'words', '--vocabulary', 'words'], 'leave --vocabulary out'),
    (['--vocabulary', 'nowhere'], 'nowhere'),
    (['--dropout', '1'], '--dropout: 1 is too large; it must be below 1')])
def test_mistakes_are_one_line(place, options, said):
    code, _, err = run('train-gpt2', '--data', 'texts.txt', '--run', 'wrong', *options, cwd=place)
    assert code == 1 and said in err and len(err.strip().splitlines()) == 1
