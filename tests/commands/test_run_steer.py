"""`run.py directions`, `label`, `edit`, `mix` and `walk` as a user types them, at toy size."""

import json
import shutil

import numpy as np
import pytest
import toy_stylegan
from process import succeed

import run as program
from dnnlib import images
from steering import hand_labels

TOY = ['--stylegan', 'toy.npz', '--threads', '1']
FIND = ['directions', '--count', '100', '--components', '2', '--fewest', '12', '--probes', '1']
EDIT = ['edit', '--strengths', '2', '--similar', '2']


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A folder with a random StyleGAN and the directions that the pretrained tagger finds in it."""
    folder = tmp_path_factory.mktemp('place')
    toy_stylegan.snapshot(folder / 'toy.npz')
    rows = [f"{seed},{'yes' if seed % 3 else 'no'}" for seed in range(40)]
    (folder / 'labels.csv').write_text('\n'.join(['seed,elegant'] + rows) + '\n')
    out = succeed(*FIND, *TOY, '--labels', 'labels.csv', cwd=folder)
    (folder / 'printed.txt').write_text(out)
    return folder


def test_directions_are_written_told_and_shown(place):
    out, folder = (place / 'printed.txt').read_text(), place / 'out' / 'directions'
    table = (folder / 'directions.txt').read_text()
    assert table in out and 'done: look at' in out
    told = json.loads((folder / 'directions.json').read_text())
    assert {'pca0', 'pca1', 'sefa-coarse0', 'sefa-fine1', 'elegant'} <= set(told)
    assert any('=' in name for name in told)
    strips = {path.stem for path in (folder / 'strips').iterdir()}
    assert len(strips) == len(told)
    assert images.read_origin(folder / 'strips' / 'pca0.png')['direction'] == 'pca0'
    with np.load(str(folder / 'directions.npz'), allow_pickle=False) as archive:
        assert archive['vectors'].shape == (len(told), 6)


def test_edits_are_searched_and_saved(place):
    out = succeed(*EDIT, *TOY, '--seed', '3,4', '--set', 'colour=red', '--direction', 'pca0=+2',
                  cwd=place)
    assert out.count('found by: pca0 +2 in all; ') == 2 and 'colour: ' in out
    folder = place / 'out' / 'edit'
    assert images.read_origin(folder / 'strip.png')['edit'] == 'colour=red; pca0=+2'
    assert images.read_rgb(folder / 'edited-1.png').shape == (16, 16, 3)
    with np.load(str(folder / 'edited.npz')) as archive:
        assert archive['ws'].shape == (2, 6, 6)


def test_edits_are_measured(place):
    out = succeed(*EDIT, *TOY, '--measure', '3', '--seed', '50', cwd=place)
    assert 'of 3 edits' in out
    told = json.loads((place / 'out' / 'edit' / 'measure.json').read_text())
    log = (place / 'out' / 'edit' / 'measure.jsonl').read_text().splitlines()
    assert told['summary']['edits'] == len(log) - 1 == 3
    # A longer one resumes; with other directions, the edits are tried anew.
    succeed(*EDIT, *TOY, '--measure', '4', '--seed', '50', cwd=place)
    longer = (place / 'out' / 'edit' / 'measure.jsonl').read_text().splitlines()
    assert longer[:4] == log and len(longer) == 5
    shutil.copytree(str(place / 'out' / 'directions'), str(place / 'others'))
    with np.load(str(place / 'others' / 'directions.npz')) as archive:
        others = dict(archive, vectors=-archive['vectors'])
    np.savez(str(place / 'others' / 'directions.npz'), **others)
    succeed(*EDIT, *TOY, '--measure', '2', '--seed', '50', '--directions', 'others', cwd=place)
    anew = (place / 'out' / 'edit' / 'measure.jsonl').read_text().splitlines()
    assert len(anew) == 3 and anew[0] != log[0]


def test_mixes(place):
    succeed('mix', *TOY, '--from', '1,2', '--onto', '4', '--layers', '0-2', '--frames', '2',
            cwd=place)
    folder = place / 'out' / 'mix'
    assert images.read_origin(folder / 'mix.png')['mix'] == '1,2 onto 4, layers 0-2'
    assert images.read_rgb(folder / 'mix.png').shape[2] == 3
    assert (folder / 'mix.mp4').stat().st_size > 500


def test_walks_go_through_what_was_edited(place):
    succeed('walk', *TOY, '--keys', 'out/edit/edited.npz', '--frames', '4', '--side', '32',
            '--gif', 'yes', '--constant-speed', 'tagger', cwd=place)
    assert (place / 'out' / 'walk' / 'walk.gif').read_bytes()[:6] == b'GIF89a'
    assert (place / 'out' / 'walk' / 'walk.mp4').stat().st_size > 500


def test_a_page_to_label_on(place):
    out = succeed('label', *TOY, '--name', 'elegant', '--count', '3', '--seed', '7', cwd=place)
    assert 'run.py directions --labels labels.csv --stylegan toy.npz' in out
    folder = place / 'out' / 'label'
    assert sorted(path.name for path in (folder / 'pictures').iterdir()) == [
        '000007.png', '000008.png', '000009.png']
    assert 'elegant' in (folder / 'index.html').read_text(encoding='utf-8')
    assert set(hand_labels.read(place / 'labels.csv')) == {'elegant'}


MISTAKES = [
    (['edit', '--set', 'colour=mauve'], "no value 'mauve'; known are: "),
    (['edit', '--set', 'collar=red'], "no attribute 'collar'; known are: category"),
    (['edit', '--set', 'red'], 'sleeve=long sleeves'),
    (['edit', '--direction', 'pca9=1'], "no direction 'pca9'; known are: pca0"),
    (['edit'], 'add --set NAME=VALUE or --direction NAME=STRENGTH, such as: python run.py edit '),
    (['edit', '--direction', 'pca0=nan'], 'is not of the form pca3=+2'),
    (['edit', '--directions', 'nowhere', '--set', 'colour=red'],
     'no directions in nowhere yet; find them first, with the same networks: python run.py '
     'directions --out nowhere'),
    (['directions', '--labels', 'nowhere.csv'], 'nowhere.csv does not exist'),
    (['mix', '--from', '1', '--onto', '2', '--layers', 'sleeves'], 'known are: coarse, middle'),
    (['mix', '--from', 'a', '--onto', '2'], "'a' names no seeds"),
    (['walk', '--seeds', '1'], 'two stops'), (['walk', '--space', 'x'], "invalid choice: 'x'"),
    (['edit', '--stylegan', 'other.npz', '--set', 'colour=red'],
     'is of another stylegan; find others, with the same networks: python run.py directions')]


@pytest.mark.parametrize('arguments, words', MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_1(place, monkeypatch, capsys, arguments, words):
    toy_stylegan.snapshot(place / 'other.npz', latent_size=7)
    monkeypatch.chdir(place)
    assert program.main(arguments[:1] + TOY + arguments[1:]) == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith('error: ')]
    assert len(errors) == 1 and words in errors[0]
