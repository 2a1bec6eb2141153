"""Every command as a user types it, in a process of its own, at toy size."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from process import PICKLE, REPO, SMALL_GAN, SMALL_GPT2, run, succeed

import run as program
from dnnlib import images


@pytest.fixture
def here(place, monkeypatch, capsys):
    """As `run`, in the place and without a process: what has been shown to work in one."""
    monkeypatch.chdir(place)

    def main(*arguments):
        capsys.readouterr()
        code = program.main([str(argument) for argument in arguments])
        return (code,) + tuple(capsys.readouterr())
    return main


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A folder where the demo is drawn and pruned, and both models are trained for a moment."""
    folder = tmp_path_factory.mktemp('place')
    succeed('demo', '--out', 'toy', '--count', '30', cwd=folder)
    succeed('prune', '--data', 'toy', cwd=folder)
    succeed('train-stylegan', '--data', 'toy-pruned', *SMALL_GAN, cwd=folder)
    succeed('train-gpt2', '--data', 'toy', *SMALL_GPT2, cwd=folder)
    return folder


def test_demo_and_prune_leave_a_table_of_decisions(place):
    with open(str(place / 'toy-pruned' / 'prune.csv'), encoding='utf-8', newline='') as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 30
    assert {row['keep'] for row in rows} <= {'yes', 'no'}
    assert list((place / 'toy-pruned' / 'sheets').iterdir())


def test_training_leaves_grids_snapshots_and_a_history(place):
    folder = place / 'runs' / 'stylegan'
    history = [json.loads(line) for line in (folder / 'progress.jsonl').read_text().splitlines()]
    assert [line['nimg'] for line in history] == [32, 64, 96]
    assert [line['resolution'] for line in history] == [8, 16, 16]
    assert images.read_rgb(folder / 'fakes-000000.png').shape[2] == 3
    with np.load(str(folder / 'network-snapshot-000000.npz'), allow_pickle=False) as snapshot:
        assert json.loads(str(snapshot['about']))['res'] == 16
    assert (place / 'runs' / 'gpt2' / 'snapshot' / 'hparams.json').exists()


def _forget_an_option(path):
    """Make a run one that was begun before an option existed."""
    written = json.loads(path.read_text())
    del written['options']['freeze_d']
    path.write_text(json.dumps(written))


@pytest.mark.slow
def test_a_finished_training_has_nothing_left_to_do_and_can_be_prolonged(place, here):
    history = place / 'runs' / 'stylegan' / 'progress.jsonl'
    before = history.read_text()
    assert here('train-stylegan', '--data', 'toy-pruned', *SMALL_GAN)[0] == 0
    assert history.read_text() == before
    _forget_an_option(place / 'runs' / 'stylegan' / 'options.json')
    longer = [{'0.096': '0.128'}.get(word, word) for word in SMALL_GAN]
    out = succeed('train-stylegan', '--data', 'toy-pruned', *longer, cwd=place)
    assert 'photos are few: expect copies of them' in out
    assert history.read_text().startswith(before) and history.read_text() != before


@pytest.mark.slow
def test_an_existing_tfrecord_set_needs_no_catalogue(place):
    succeed('train-stylegan', '--records', 'runs/stylegan/records', '--run', 'runs/records',
            *SMALL_GAN + ['--initial', '16', '--kimg', '0.032'], cwd=place)
    assert list((place / 'runs' / 'records').glob('network-snapshot-*.npz'))
    assert not (place / 'data').exists()  # no demo was drawn for it


def test_samples_are_complete_and_the_same_bytes_again(place):
    for out in ('one', 'two'):
        succeed('samples', '--out', out, '--count', '2', '--frames', '2', '--threads', '1',
                cwd=place)
    names = {str(path.relative_to(place / 'one')) for path in (place / 'one').rglob('*.*')}
    assert {'grid.png', 'truncation.png', 'mixing.png', 'walk.mp4', 'mixing.mp4', 'index.html',
            'descriptions.txt', 'products.jsonl', 'products/000000.png'} <= names
    for name in names - {'index.html'}:  # the page tells the time and the command
        assert (place / 'one' / name).read_bytes() == (place / 'two' / name).read_bytes(), name
    lines = (place / 'one' / 'products.jsonl').read_text(encoding='utf-8').splitlines()
    products = [json.loads(line) for line in lines]
    assert [product['seed'] for product in products] == [0, 1]
    assert all({'psi', 'category', 'tags', 'prompt', 'text', 'image'} <= set(product)
               for product in products)
    for product in products:
        told = {name: str(value) for name, value in product['origin'].items()}
        assert told['synthetic'] == 'yes' and told['seed'] == str(product['seed'])
        assert images.read_origin(place / 'one' / product['image']) == told
        distances = [each['distance'] for each in product['neighbours']]
        assert len(distances) == 3 and distances == sorted(distances)
        assert {each['image'] for each in product['neighbours']} <= names
    for name in ('grid.png', 'truncation.png', 'mixing.png'):
        assert images.read_origin(place / 'one' / name)['synthetic'] == 'yes'
    assert all(b'"synthetic": "yes"' in (place / 'one' / name).read_bytes()
               for name in ('walk.mp4', 'mixing.mp4'))


def test_text_prints_in_the_form_of_the_post(place):
    out = succeed('text', '--prompt', 'red dress', '--count', '2', '--max-tokens', '8', cwd=place)
    assert out.startswith('=' * 40 + ' SAMPLE 1 ' + '=' * 40 + '\n')
    assert '=' * 40 + ' SAMPLE 2 ' + '=' * 40 in out


def test_metrics_leave_figures_and_a_sheet(place):
    succeed('demo', '--out', 'many', '--count', '50', cwd=place)
    out = succeed('metrics', '--count', '40', '--path-length', '4', '--threads', '1', '--data',
                  'many', '--features', 'tagger', cwd=place)
    assert 'swd_16' in out and 'path_length_pixels' in out and 'precision' in out
    figures = json.loads((place / 'out' / 'metrics' / 'metrics.json').read_text())['figures']
    for name in ('swd', 'frechet'):
        assert figures[name]['value'] > figures[name]['floor'] > 0
    assert 0 <= figures['agreement']['value'] < figures['agreement']['floor']
    assert 0 <= figures['plain']['value'] <= 1
    assert figures['frechet_pixels']['value'] > figures['frechet_pixels']['floor'] > 0
    assert figures['detail']['floor'] == 1
    assert images.read_rgb(place / 'out' / 'metrics' / 'neighbours.png').shape[2] == 3


def test_a_dry_run_leaves_nothing(place):
    out = succeed('train-stylegan', '--data', 'toy-pruned', '--run', 'runs/dry', '--dry-run',
                  *SMALL_GAN, cwd=place)
    assert 'memory' in out and 'hours' in out
    assert not (place / 'runs' / 'dry').exists()


@pytest.mark.slow
def test_a_released_pickle_is_converted_drawn_and_trained_on(place, here):
    out = succeed('convert', PICKLE, 'original.npz', cwd=place)
    assert 'G  90,324 parameters' in out and '32 x 32 px' in out
    start = ['train-stylegan', '--data', 'toy-pruned', '--run', 'runs/started', '--threads', '1',
             '--minibatch', '4', '--kimg', '0.004', '--metrics-every', '0', '--start']
    succeed(*start, 'original.npz', cwd=place)
    assert (place / 'runs' / 'started' / 'fakes-start.png').exists()
    options = json.loads((place / 'runs' / 'started' / 'options.json').read_text())['options']
    assert (options['resolution'], options['initial'], options['fmap_base']) == (32, 32, 256)
    code, _, err = here(*start, 'original.npz', '--resolution', '64')
    assert code == 1 and 'original.npz has --resolution 32, not 64; leave that option out' in err


def test_download_lists_and_takes_a_file(tmp_path):
    listed = succeed('download', '--list', cwd=tmp_path)
    assert 'gpt2-124M' in listed and 'CC BY-NC 4.0' in listed
    out = succeed('download', 'stylegan-anime-512', '--from-file', PICKLE, cwd=tmp_path)
    assert 'stylegan-anime-512' in out
    assert list((tmp_path / 'downloads' / 'stylegan-anime-512').glob('*.pkl'))


def test_text_takes_files_tables_and_a_terminal(place, here):
    (place / 'wishes.csv').write_text('colour,type\nRed,Dress\nnavy,midi_skirt\n')
    assert here('text', '--prompts', 'wishes.csv', '--tag-columns', 'colour,type', '--count', '2',
                '--max-tokens', '8', '--json', 'out.jsonl')[0] == 0
    rows = [json.loads(line) for line in (place / 'out.jsonl').read_text().splitlines()]
    assert [row['prompt'] for row in rows] == ['red dress'] * 2 + ['navy midi skirt'] * 2
    assert [row['seed'] for row in rows] == [0, 1, 2, 3]
    code, out, _ = run('text', '--interactive', '--count', '1', '--max-tokens', '4', cwd=place,
                       typed='red dress\n\nnot read\n')
    assert code == 0 and out.count('SAMPLE 1') == 1


def test_a_text_model_is_written_for_other_programs(place, here):
    succeed('export', '--to', 'released', '--out', 'released', cwd=place)
    assert here('export', '--to', 'transformers', '--out', 'transformers')[0] == 0
    for layout, file in (('released', 'model.ckpt.index'), ('transformers', 'model.safetensors')):
        assert (place / layout / file).exists()
        code, out, _ = here('text', '--gpt2', layout, '--count', '1', '--max-tokens', '4')
        assert code == 0 and 'SAMPLE 1' in out


def test_check_text_prints_three_figures(place):
    out = succeed('check-text', '--data', 'toy', '--count', '3', cwd=place)
    assert [' of 3 ' in line for line in out.splitlines()[:3]] == [True] * 3


@pytest.mark.slow
def test_the_stylegan_preset_is_stopped_saved_and_continued(place):
    arguments = [sys.executable, str(REPO / 'run.py'), 'train-stylegan', '--data', 'toy-pruned',
                 '--run', 'runs/stopped'] + [{'0.096': '9'}.get(word, word) for word in SMALL_GAN]
    process = subprocess.Popen(arguments, cwd=str(place), stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, universal_newlines=True)
    history = place / 'runs' / 'stopped' / 'progress.jsonl'
    for _ in range(600):
        if history.exists() and history.read_text().count('\n') >= 2:
            break
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert 'run the same command again to resume' in err
    assert (place / 'runs' / 'stopped' / 'checkpoint.json').exists()


@pytest.mark.parametrize('arguments, words', [
    (['train-stylegan', '--data', 'nowhere'], 'nowhere does not exist'),
    (['train-stylegan', '--data', 'empty'], 'empty'),
    (['train-gpt2', '--data', 'texts.csv', '--text-column', 'story'], 'story'),
    (['prune', '--data', 'empty'], 'empty'),
    (['train-stylegan', '--data', 'notpictures'], 'none of the 2 images can be read'),
    (['train-stylegan', '--size', '64'], 'train-stylegan --help'),
    (['train-everything'], 'train-everything'),
    (['train-stylegan', '--resolution', '65'], '65'),
    (['train-stylegan', '--augment', 'blur'], 'blur'),
    (['train-stylegan', '--start', 'notpictures/b.jpg'], 'b.jpg'),
    (['train-stylegan', '--freeze-d', '9'], '--freeze-d'),
    (['convert', 'notpictures/b.jpg', 'b.npz'], 'b.jpg'),
    (['download', 'nothing'], 'known are: gpt2-124M'),
    (['metrics', '--features', 'vgg'], 'vgg'),
    (['metrics', '--features', 'inception'], '--inception'),
    (['metrics', '--count', '0'], '--count: 0 is too small; the least is 40'),
    (['metrics', '--records', 'nowhere'], 'nowhere holds no *-rNN.tfrecords files'),
    (['text', '--gpt2', 'empty'], 'empty'),
    (['text', '--gpt2', 'texts.csv'], 'texts.csv is not a text model'),
    (['samples', '--stylegan', 'empty'], 'empty')])
def test_a_mistake_is_one_line_and_exit_code_1(tmp_path, monkeypatch, capsys, arguments, words):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'texts.csv').write_text('name,description\na,A dress.\n')
    (tmp_path / 'notpictures').mkdir()
    (tmp_path / 'notpictures' / 'a.jpg').write_bytes(b'')
    (tmp_path / 'notpictures' / 'b.jpg').write_text('not an image')
    monkeypatch.chdir(tmp_path)
    code = program.main(arguments)  # an exception that main lets through fails the test
    err = capsys.readouterr().err
    errors = [line for line in err.splitlines() if line.startswith('error: ')]
    assert code == 1 and len(errors) == 1, err
    assert words in errors[0]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path, capsys):
    (tmp_path / 'file').write_text('')
    assert program.main(['demo', '--count', '1', '--out', str(tmp_path / 'file' / 'out')]) == 1
    err = capsys.readouterr().err
    assert err.startswith('error: argument --out: ') and err.count('\n') == 1
    assert str(tmp_path / 'file') + ' is not a folder; name another' in err


def test_a_folder_where_a_file_is_to_be_written_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'folder.npz').mkdir()
    assert program.main(['convert', str(PICKLE), 'folder.npz']) == 1
    assert capsys.readouterr().err == 'error: folder.npz: is a directory\n'


def test_closed_standard_streams_are_no_mistake(tmp_path):
    shell = f'{sys.executable} {REPO / "run.py"} demo --count 4 --bad 0 --out'
    for folder, closed in (('open', ''), ('closed', ' <&- >&- 2>&-')):
        subprocess.run(['sh', '-c', f'{shell} {folder}{closed}'], cwd=str(tmp_path), check=True)
    made = [sorted((path.relative_to(folder), path.read_bytes()) for path in folder.rglob('*')
                   if path.is_file()) for folder in (tmp_path / 'open', tmp_path / 'closed')]
    assert made[0] == made[1] and len(made[0]) >= 4


def test_bytes_in_another_encoding_are_no_mistake(tmp_path):
    answer = subprocess.run(
        [sys.executable, str(REPO / 'run.py'), 'text', '--interactive', '--count', '1',
         '--max-tokens', '4', '--keep-prompt'], cwd=str(tmp_path), check=True,
        input=b'red caf\xe9 dress\n', stdout=subprocess.PIPE,
        env=dict(os.environ, PYTHONIOENCODING='ascii:strict'))
    assert b'SAMPLE 1' in answer.stdout and answer.stdout.isascii()


def test_a_run_folder_with_other_options_is_refused_and_kept(place):
    before = (place / 'runs' / 'stylegan' / 'options.json').read_bytes()
    code, _, err = run('train-stylegan', '--data', 'toy-pruned', *SMALL_GAN + ['--r1-gamma', '5'],
                       cwd=place)
    assert code == 1 and '--r1-gamma was 10.0, now 5.0' in err
    assert (place / 'runs' / 'stylegan' / 'options.json').read_bytes() == before


COMMANDS_WITHOUT = ['demo --out toy --count 6', 'prune --data toy', 'download --list', '--help',
                    f'convert {PICKLE} a.npz'] + [name + ' --help' for name in program.COMMANDS]


def test_what_needs_no_tensorflow_does_not_load_it(tmp_path):
    script = (f'import sys; sys.path.insert(0, {str(REPO)!r}); import run\n'
              f'for command in {COMMANDS_WITHOUT!r}:\n'
              '    try: assert run.main(command.split()) == 0, command\n'
              '    except SystemExit: pass\n'
              '    assert not {"dnnlib.tflib", "tensorflow"} & set(sys.modules), command')
    done = subprocess.run([sys.executable, '-c', script], cwd=str(tmp_path), timeout=120,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
