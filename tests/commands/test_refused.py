"""Refused commands: one line, exit code 1, nothing left behind, and the corrected command works."""

import argparse
import pathlib

import numpy as np
import pytest
from process import SMALL_GAN, SMALL_GPT2

import run
from commands import inputs, options
from dnnlib import images
from dnnlib.files import UserError

GAN = ['train-stylegan', '--data', 'toy', '--run', 'new', *SMALL_GAN]
GPT2 = ['train-gpt2', '--data', 'toy', '--run', 'new', *SMALL_GPT2]
PRETRAINED = str(inputs.PRETRAINED / 'gpt2')
TAGGER = ['train-tagger', '--data', 'toy', '--run', 'new', '--side', '16', '--steps', '2']


def _commands():
    action, = [action for action in run.command_line()._actions
               if isinstance(action, argparse._SubParsersAction)]
    return action.choices


NUMBERS = [(name, action.option_strings[0], action.type.__name__)
           for name, command in sorted(_commands().items()) for action in command._actions
           if getattr(action.type, '__name__', '') in ('int', 'float')]


@pytest.mark.parametrize('name', sorted(_commands()))
def test_every_number_is_checked_as_it_is_parsed(name):
    parser = _commands()[name]
    for _, option, kind in [each for each in NUMBERS if each[0] == name]:
        wrong = ['', 'x', 'nan', 'inf'] + ['2.5', str(2 ** 40)] * (kind == 'int')
        if option == '--seed':
            wrong += ['-1', str(2 ** 32)]
        for text in wrong:
            with pytest.raises(UserError, match=f'argument {option}.*see: python'):
                parser.parse_args([f'{option}={text}'])


@pytest.mark.parametrize('name', sorted(_commands()))
def test_no_path_is_empty(name):
    parser, kinds = _commands()[name], (options.path, options.folder, options.file)
    for action in parser._actions:
        assert action.type is not pathlib.Path, action.dest
        if action.type in kinds and action.option_strings:
            with pytest.raises(UserError, match='the path is empty; see: python'):
                parser.parse_args([action.option_strings[0], ''])


def test_every_seed_is_a_number_from_0_to_its_largest_or_a_list_of_such():
    texts = {name for name, command in _commands().items() for action in command._actions
             if '--seed' in action.option_strings and action.type is None}
    assert texts == {'edit'}  # whose --seed names several, or a file
    assert len([each for each in NUMBERS if each[1] == '--seed']) >= 12


COUNTS = ['--count', '--frames', '--steps', '--batch', '--fps', '--window', '--resolution',
          '--n-layer', '--n-head', '--n-embd', '--n-ctx', '--latent-size', '--side', '--size',
          '--search', '--pool', '--synthetic', '--probes', '--strengths',
          '--mbstd-group', '--accumulate', '--average-kimg', '--kimg', '--validate-every']


@pytest.mark.parametrize('option', COUNTS)
def test_sizes_of_0_and_below_are_refused(option):
    found = [name for name, own, _ in NUMBERS if own == option]
    assert found
    for name in found:
        for text in ('-1', '0'):
            if (name, option, text) == ('project', '--frames', '0'):  # no video
                continue
            if (option, text) == ('--batch', '0') and not name.startswith('train-'):  # automatic
                continue
            with pytest.raises(UserError, match=f'argument {option}.*is too small'):
                _commands()[name].parse_args([f'{option}={text}'])


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """A folder with a catalogue of 12 products, and a function that runs a command in it."""
    lines = ['image,description,category']
    (tmp_path / 'toy').mkdir()
    (tmp_path / 'unreadable').mkdir()
    (tmp_path / 'unreadable' / 'a.jpg').write_text('no image')
    for index in range(12):
        rgb = np.full([24, 24, 3], 20 * index, np.uint8)
        images.write_png(tmp_path / 'toy' / f'{index}.png', rgb)
        lines.append(f"{index}.png,A {'hat' if index % 2 else 'coat'} number {index},"
                     f"{'hat' if index % 2 else 'coat'}")
    (tmp_path / 'toy' / 'products.csv').write_text('\n'.join(lines) + '\n')
    (tmp_path / 'labels.csv').write_text('seed,warm\n0,yes\n')
    monkeypatch.chdir(tmp_path)

    def main(*arguments):
        capsys.readouterr()
        code = run.main(list(arguments))
        out, err = capsys.readouterr()
        assert code == 0 or not out  # all is checked before anything is said
        return code, [line for line in err.splitlines() if line.startswith('error: ')]
    return main


SLOW = ['samples', 'cards', 'rare', 'evaluate', 'directions', 'edit', 'mix', 'walk', 'project']
REFUSED = [
    (GAN + ['--minibatch', '6'], 'use --minibatch 8'),
    (GAN + ['--minibatch', '12', '--accumulate', '2'], 'use --minibatch 16'),
    (GAN + ['--start', 'nowhere'], 'nowhere does not exist'),
    (GAN + ['--freeze-d', '9'], 'lower --freeze-d'),
    (GAN + ['--data', 'unreadable'], 'unreadable'),
    (['train-stylegan', '--data', 'nowhere', '--run', 'new'], 'nowhere does not exist'),
    (['train-stylegan', '--records', 'nowhere', '--run', 'new'], 'nowhere holds no'),
    (GAN + ['--records', 'nowhere'], '--records replaces the images of --data'),
    (GPT2 + ['--window', '200'], 'use --window 96'),
    (GPT2 + ['--start', 'nowhere'], 'nowhere does not exist'),
    (GPT2 + ['--vocabulary', 'nowhere'], 'nowhere'),
    (GPT2 + ['--n-embd', '15'], 'not a multiple'),
    (['train-gpt2', '--data', 'toy', '--run', 'new', '--start', PRETRAINED, '--n-layer', '2'],
     'has --n-layer 4, not 2; leave that option out'),
    (TAGGER + ['--data', 'unreadable'], 'unreadable'),
    (['pack', '--data', 'toy', '--shard', '1/2'], 'each --shard needs a folder of its own'),
    (['cards', '--shard', '1/2'], 'each --shard needs a folder of its own'),
    (['train-tagger', '--run', 'new', '--test', 'nowhere'], 'nowhere does not exist'),
    (['text', '--json', 'toy'], 'toy is a folder; name a file'),
    (['text', '--json', 'toy/0.png/texts.jsonl'], 'toy/0.png is not a folder'),
    (['samples', '--out', 'new', '--tagger', 'nowhere'], 'nowhere'),
    (['samples', '--out', 'new', '--gpt2', 'nowhere'], 'nowhere does not exist'),
    (['cards', '--out', 'new', '--tagger', 'nowhere'], 'nowhere'),
    (['rare', '--out', 'new', '--category', 'hat'], "there is no 'hat'"),
    (['rare', '--out', 'new', '--category', 'jumpsuit', '--judge', 'nowhere'], 'nowhere'),
    (['rare', '--out', 'new', '--category', 'jumpsuit', '--seeds-from', 'nowhere'], 'nowhere'),
    (['evaluate', '--out', 'new', '--category', 'hat', '--data', 'toy', '--counts', '500'],
     'rare photos to train on'),
    (['evaluate', '--out', 'new', '--category', 'hat', '--test-data', 'nowhere'],
     'nowhere does not exist'),
    (['evaluate', '--out', 'new', '--category', 'hat', '--counts', '10,x'], 'is not a list like'),
    (['metrics', '--out', 'new', '--features', 'inception'], '--inception'),
    (['metrics', '--out', 'new', '--data', 'toy', '--records', 'toy'], 'leave one of them out'),
    (['metrics', '--out', 'new', '--data', 'toy', '--features', 'tagger', '--judge', 'nowhere'],
     'nowhere'),
    (['directions', '--out', 'new', '--labels', 'nowhere'], 'nowhere does not exist'),
    (['directions', '--out', 'new', '--labels', 'labels.csv'], 'has 1 yes and 0 no'),
    (['edit', '--out', 'new', '--directions', 'nowhere', '--set', 'colour=red'], 'nowhere'),
    (['edit', '--out', 'new', '--measure', '5', '--set', 'colour=red'], 'leave --set'),
    (['mix', '--out', 'new', '--from', '1', '--onto', 'x'], "'x' names no seeds"),
    (['walk', '--out', 'new', '--seeds', '0-99999999999'], 'seeds'),
    (['project', '--out', 'new', 'nowhere.jpg'], 'nowhere.jpg does not exist'),
    (['project', '--out', 'new', '--data', 'toy', '--count', '1', '--mix', '2'], 'two images')]


@pytest.mark.parametrize('arguments, words', [  # slow: those that load pretrained models first
    pytest.param(*each, marks=[pytest.mark.slow] * (each[0][0] in SLOW)) for each in REFUSED])
def test_a_refused_command_leaves_nothing(here, tmp_path, arguments, words):
    code, errors = here(*arguments)
    assert code == 1 and len(errors) == 1 and words in errors[0], errors
    left = [path for path in (tmp_path / 'new').rglob('*') if not path.name.startswith('.')]
    assert not left


@pytest.mark.slow
def test_the_corrected_command_works_in_the_same_folder(here):
    assert here(*GPT2, '--window', '200')[0] == 1
    assert here(*GPT2)[0] == 0
    assert here(*GAN[:3], '--data', 'unreadable', '--run', 'gan', *SMALL_GAN)[0] == 1
    assert here('train-stylegan', '--data', 'toy', '--run', 'gan', *SMALL_GAN, '--kimg',
                '0.008')[0] == 0


def test_the_folder_one_is_in_is_pruned_beside_itself(here, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / 'toy')
    assert here('prune', '--data', '.')[0] == 0
    assert (tmp_path / 'toy-pruned' / 'prune.csv').exists()
    assert not list((tmp_path / 'toy').glob('*-pruned'))


def test_a_command_in_a_message_can_be_pasted(here, tmp_path, capsys):
    (tmp_path / 'toy').rename(tmp_path / 'neue Röcke')
    assert run.main(['prune', '--data', 'neue Röcke']) == 0
    assert 'as it is, there is nothing to train on' in capsys.readouterr().out
    decided = tmp_path / 'neue Röcke-pruned' / 'prune.csv'
    decided.write_text(decided.read_text().replace(',no,', ',yes,'))
    assert run.main(['prune', '--data', 'neue Röcke']) == 0
    assert "python run.py train-stylegan --data 'neue Röcke-pruned'\n" in capsys.readouterr().out
