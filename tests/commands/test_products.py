"""Fake products: what is written about each, and texts that are written again."""

import json

import numpy as np
import pytest

from commands.products import write_neighbours, write_products
from dnnlib import images
from gpt2.config import Sampling
from gpt2.write import redraw_seed
from tagger import agreement
from tagger.agreement import Comparison, Prediction

SEEN = Prediction('dress', ['red', 'dress'], {'category': 'dress', 'colour': 'red'},
            {'category': 1.0, 'colour': 0.9})


class Writer:
    """Writes 'prompt/seed' and remembers what it was asked for."""

    def __init__(self):
        self.asked, self.temperatures = [], []

    def texts(self, prompts, *, seeds, sampling):
        self.asked.append(list(zip(prompts, seeds)))
        self.temperatures.append(sampling.temperature)
        return [f'{prompt}/{seed}' for prompt, seed in zip(prompts, seeds)]


class Tagger:
    """Sees a red dress; a text disagrees in as many heads as `wrong` has for its seed."""

    def __init__(self, wrong=None, otherwise=0):
        self._wrong, self._otherwise = wrong or {}, otherwise

    def describe(self, pictures):
        return [SEEN] * len(pictures)

    def check(self, picture, text):
        count = self._wrong.get(int(text.split('/')[1]), self._otherwise)
        return Comparison({f'head {i}': i >= count for i in range(3)}, [])


def make(folder, writer, tagger=None, temperature=0.3, count=3, **more):
    pictures = np.zeros([count, 8, 8, 3], np.uint8)
    return write_products(
        folder, pictures, seeds=[5, 6, 7][:count], psi=0.7, origin={'synthetic': 'yes'},
        tagger=tagger or Tagger(), writer=writer, sampling=Sampling(temperature=temperature),
        **dict({'tries': 0}, **more))


def test_products_hold_everything_and_so_do_the_files(tmp_path):
    w = np.array([[1.23456789, -2e-7]] * 3)
    products = make(tmp_path, Writer(), w=w)
    lines = (tmp_path / 'products.jsonl').read_text(encoding='utf-8').splitlines()
    assert [json.loads(line) for line in lines] == products
    first = products[0]
    assert first['prompt'] == 'red dress' and first['text'] == 'red dress/5'
    assert first['w'] == [1.2346, -2e-7] and first['text_seed'] == 5 and first['psi'] == 0.7
    assert first['category'] == 'dress' and first['tags'] == ['red', 'dress']
    assert first['attributes']['colour'] == 'red' and first['probabilities']['colour'] == 0.9
    assert set(first['agreement'].values()) == {True} and first['redrawn'] == 0
    assert first['neighbours'] == []
    assert first['origin'] == {'synthetic': 'yes', 'seed': 5, 'psi': 0.7}
    assert images.read_origin(tmp_path / first['image'])['seed'] == '5'


def test_images_that_are_no_longer_listed_are_removed(tmp_path):
    for neighbours in (['3', '4', '3'], ['4']):
        for number in neighbours:
            images.write_png(tmp_path / f'products/neighbours/{number}.png',
                             np.zeros([8, 8, 3], np.uint8))
        make(tmp_path, Writer(), count=len(neighbours), neighbours=[
            [{'image': f'products/neighbours/{number}.png', 'distance': 1.0}]
            for number in neighbours])
    (tmp_path / 'products' / 'own.txt').write_text('of the user')
    listed = (tmp_path / 'products.jsonl').read_bytes()
    for damaged in (b'\xff', b'[]\n', b'{"image": "../x.png", "neighbours": []}\n'):
        (tmp_path / 'products.jsonl').write_bytes(damaged)
        make(tmp_path, Writer(), count=1, neighbours=[
            [{'image': 'products/neighbours/4.png', 'distance': 1.0}]])
    assert (tmp_path / 'products.jsonl').read_bytes() == listed
    make(tmp_path, Writer(), count=1, neighbours=[
        [{'image': 'products/neighbours/4.png', 'distance': 1.0}]])
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob('*.*')) == [
        'products.jsonl', 'products/000005.png', 'products/neighbours/4.png', 'products/own.txt']


def test_contradicting_texts_alone_are_written_again_and_the_best_is_kept(tmp_path):
    again = redraw_seed(6, 1), redraw_seed(7, 1), redraw_seed(7, 2)
    writer = Writer()
    products = make(tmp_path, writer, tries=2, tagger=Tagger(
        {6: 2, 7: 2, again[1]: 1, again[2]: 2}))
    assert writer.asked == [[('red dress', 5), ('red dress', 6), ('red dress', 7)],
                            [('red dress', again[0]), ('red dress', again[1])],
                            [('red dress', again[2])]]
    assert [product['text_seed'] for product in products] == [5, again[0], again[1]]
    assert [product['redrawn'] for product in products] == [0, 1, 2]
    assert [agreement.fits(product) for product in products] == [True, True, False]


@pytest.mark.parametrize('tries', [0, 1])
def test_no_more_tries_than_asked_for(tmp_path, tries):
    writer = Writer()
    products = make(tmp_path, writer, tries=tries, tagger=Tagger(otherwise=1))
    assert len(writer.asked) == 1 + tries
    assert [product['redrawn'] for product in products] == [tries] * 3


@pytest.mark.parametrize('first, expected', [
    (0.5, [0.5, 0.65, 0.8, 0.95, 1.0, 1.0]), (1.5, [1.5] * 6)])
def test_every_further_text_is_written_more_freely(tmp_path, first, expected):
    writer = Writer()
    make(tmp_path, writer, Tagger(otherwise=1), temperature=first, tries=5)
    assert writer.temperatures == pytest.approx(expected)


class Records:
    """A training set of nine images."""

    def sequence(self, res):
        assert res == 8
        return np.random.RandomState(1).randint(0, 256, [9, 8, 8, 3]).astype(np.uint8)


def test_each_image_gets_its_neighbours_nearest_first(tmp_path):
    photos = Records().sequence(8)
    rows = write_neighbours(tmp_path, photos[[3, 5]], Records(), 3)
    for row, own in zip(rows, (3, 5)):
        distances = [each['distance'] for each in row]
        assert len(row) == 3 and distances == sorted(distances) and distances[0] == 0
        assert row[0]['image'] == f'products/neighbours/{own:05d}.png'
        assert np.array_equal(images.read_rgb(tmp_path / row[0]['image']), photos[own])
        assert not images.read_origin(tmp_path / row[0]['image'])  # they are real ones


def test_seeds_of_redrawn_texts_are_seeds_and_new():
    seeds = {redraw_seed(seed, attempt) for seed in range(500) for attempt in range(6)}
    assert len(seeds) == 3000
    assert 0 <= redraw_seed(2 ** 32 - 1, 5) < 2 ** 32
