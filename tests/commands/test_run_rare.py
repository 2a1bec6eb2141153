"""`run.py rare` and `run.py evaluate` as a user types them, at toy size."""

import collections
import csv
import json
import re

import numpy as np
import pytest
import toy_stylegan
from process import REPO, run, succeed

from catalog import source
from dnnlib import images
from stylegan import generator
from tagger import image_tagger

RARE = ['rare', '--stylegan', 'toy.npz', '--data', 'toy', '--count', '4', '--search', '100',
        '--sure', '0.05', '--few', '5', '--threads', '1', '--max-tokens', '8', '--tries', '0']
EVALUATE = ['evaluate', '--stylegan', 'toy.npz', '--data', 'toy', '--category', 'jumpsuit',
            '--counts', '3,1000,all', '--seeds', '1', '--synthetic', '4', '--pool', '64',
            '--side', '16', '--fmaps', '2', '--steps', '3', '--batch', '8', '--bootstrap', '100']


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A folder with a drawn demo and a random StyleGAN; taggers and GPT-2 are pretrained."""
    folder = tmp_path_factory.mktemp('place')
    succeed('demo', '--out', 'toy', '--count', '40', '--bad', '0', '--jumpsuits', '0.3', cwd=folder)
    toy_stylegan.snapshot(folder / 'toy.npz')
    return folder


@pytest.fixture(scope='module')
def seen(place):
    """The category that the pretrained tagger sees most in the images of the random network."""
    gan = generator.Generator(place / 'toy.npz', 1)
    pictures = gan.pictures(gan.truncate(gan.w(gan.seeded(range(60)))))
    tags = image_tagger.ImageTagger(REPO / 'pretrained' / 'tagger' / 'tagger.npz', 1).tags(pictures)
    return collections.Counter(each['category'][0] for each in tags).most_common(1)[0][0]


@pytest.mark.slow
def test_a_rare_class_becomes_a_catalogue(place, seen):
    with_all = succeed(*RARE, '--category', seen, '--method', 'all', cwd=place)
    assert 'gaussian' in with_all and 'shift' in with_all and 'done' in with_all
    out = place / 'out' / 'rare'
    for method in ('gaussian', 'shift', 'search'):
        assert len(source.read(out / method)) == 4
        assert images.read_origin(out / method / 'products' / '000000.png')['method'] == method
        assert images.read_rgb(out / method / 'sheet.png').shape[2] == 3
        assert f'out/rare/{method}' in with_all.splitlines()[-1]
    figures = json.loads((out / 'rare.json').read_text(encoding='utf-8'))
    assert figures['wanted'] == {'category': seen}
    assert figures['methods']['gaussian']['accepted'] == 4
    before = (out / 'search.npz').stat().st_mtime_ns
    succeed(*RARE, '--where', 'category=' + seen, '--seeds-from', out / 'shift' / 'codes.npz',
            cwd=place)
    assert (out / 'search.npz').stat().st_mtime_ns == before
    with np.load(str(out / 'codes.npz'), allow_pickle=False) as codes:
        assert codes['w'].shape == (4, 6)
    with open(str(out / 'products.csv'), encoding='utf-8', newline='') as table:
        assert {'image', 'description', 'category', 'colour'} <= set(next(csv.reader(table)))
    code, _, err = run(*RARE, '--category', 'hat', cwd=place)
    assert code == 1 and "there is no 'hat'; known are: category: dress, jumpsuit" in err
    code, _, err = run(*RARE, '--category', seen, '--out', 'none', '--gpt2', 'nowhere', cwd=place)
    assert code == 1 and 'nowhere does not exist' in err and not (place / 'none').exists()


@pytest.mark.slow
def test_an_experiment_is_resumed(place):
    out = succeed(*EVALUATE, cwd=place)
    assert 'no --test-data given' in out and 'against the best baseline: with ' in out
    photos = re.search(r"(\d+) real photos of 'jumpsuit'.* get 3, (\d+) of them", out).groups()
    assert photos[0] == photos[1]  # all of them, and not the 1,000 that there are not
    folder = place / 'out' / 'evaluate'
    result = json.loads((folder / 'evaluate.json').read_text(encoding='utf-8'))
    assert len(result['arms']) == 14 and len(result['verdicts']) == 2
    assert images.read_rgb(folder / 'evaluate.png').shape == (460, 800, 3)
    kept = {path: path.stat().st_mtime_ns for path in (folder / 'results').iterdir()}
    assert succeed(*EVALUATE, cwd=place) == out
    assert kept == {path: path.stat().st_mtime_ns for path in (folder / 'results').iterdir()}
    code, _, err = run(*EVALUATE, '--steps', '4', cwd=place)
    assert code == 1 and 'holds an experiment with another steps' in err
    code, _, err = run(*EVALUATE, '--category', 'hat', cwd=place)
    assert code == 1 and "no category 'hat'; known are: dress, jumpsuit" in err
