"""`run.py project` as a user types it, at toy size."""

import csv
import json

import numpy as np
import pytest
import toy_stylegan
from process import run, succeed

from dnnlib import images

QUICK = ['--steps', '2', '--candidates', '2', '--newton', '1', '--frames', '2', '--threads', '1',
         '--stylegan', 'a.npz']


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A folder with a toy snapshot and a small catalogue."""
    folder = tmp_path_factory.mktemp('place')
    toy_stylegan.own_pictures(folder / 'a.npz', [1], use_noise=False)
    succeed('demo', '--out', 'toy', '--count', '12', cwd=folder)
    return folder


@pytest.mark.slow
def test_images_are_projected_and_done_ones_skipped(place):
    photo = next((place / 'toy' / 'images').iterdir())
    command = ['project', photo, photo, '--out', 'out'] + QUICK + ['--mix', '3']
    out = succeed(*command, cwd=place)
    assert 'PSNR' in out and 'done: open out/mixed.png' in out
    name = photo.stem
    assert {path.name for path in (place / 'out').iterdir()} == {
        stem + ending for stem in (name, name + '-2') for ending in ('.npz', '.png', '.mp4')} | {
            'all.npz', 'all.png', 'mixed.npz', 'mixed.png'}
    assert images.read_origin(place / 'out' / (name + '.png'))['synthetic'] == 'yes'
    before = (place / 'out' / (name + '.npz')).stat().st_mtime
    assert succeed(*command, cwd=place) == out
    assert (place / 'out' / (name + '.npz')).stat().st_mtime == before
    with np.load(str(place / 'out' / 'all.npz'), allow_pickle=False) as archive:
        assert archive['ws'].shape == (2, 4, 6)


@pytest.mark.slow
def test_a_catalogue_gives_those_asked_for_and_a_self_test(place):
    with open(str(place / 'toy' / 'products.csv'), encoding='utf-8', newline='') as table:
        rows = list(csv.DictReader(table))
    category = rows[-1]['category']
    wanted = [row for row in rows if row['category'] == category]
    out = succeed('project', '--data', 'toy', '--category', category, '--out', 'some', *QUICK,
                  cwd=place)
    assert len(out.splitlines()) == len(wanted) + 2
    out = succeed('project', '--data', 'toy', '--self-test', '2', '--out', 'self', *QUICK,
                  cwd=place)
    assert 'generated' in out and 'real' in out
    figures = json.loads((place / 'self' / 'self-test.json').read_text())
    assert len(figures['real']['psnr']) == len(figures['generated']['w_distance']) == 2


@pytest.mark.parametrize('arguments, words', [
    (['nothing.jpg'], 'nothing.jpg does not exist'),
    (['a.npz'], 'a.npz is not a readable image'),
    (['a.npz', '--category', 'dress'], 'not both'),
    (['--data', 'toy', '--category', 'hat'], "there is no 'hat'; known are: "),
    (['--data', 'toy', '--vgg', 'a.npz'], 'is no VGG16'),
    (['toy', '--category', 'dress'], 'toy is a folder; to take images from it, type --data toy'),
    (['--data', 'toy', '--count', '1', '--mix', '3'], '--mix needs at least two images'),
    (['--space', 'z'], "invalid choice: 'z'")])
def test_a_mistake_is_one_line(place, arguments, words):
    code, _, err = run('project', *arguments + QUICK, cwd=place)
    errors = [line for line in err.splitlines() if line.startswith('error: ')]
    assert code == 1 and len(errors) == 1 and words in errors[0], err
