"""Fake products: what is written about each, and texts that are written again."""

import json

import numpy as np
import pytest

from commands import fakes
from tagger import agreement
from tagger.agreement import Seen, Verdict
from dnnlib import images

SEEN = Seen('dress', ['red', 'dress'], {'category': 'dress', 'colour': 'red'},
            {'category': 1.0, 'colour': 0.9})


class Writer:
    """Writes 'prompt/seed' and remembers what it was asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, prompts, seeds, attempt):
        assert attempt == len(self.asked)
        self.asked.append(list(zip(prompts, seeds)))
        return ['%s/%d' % pair for pair in zip(prompts, seeds)]


def make(folder, writer, **more):
    pictures = np.zeros([3, 8, 8, 3], np.uint8)
    return fakes.write(folder, pictures, seeds=[5, 6, 7], psi=0.7, origin={'synthetic': 'yes'},
                       describe=lambda some: [SEEN] * len(some), write_texts=writer, **more)


def verdicts(wrong):
    """A check by which a text disagrees in as many heads as `wrong` has for its seed."""
    def check(picture, text):
        count = wrong.get(int(text.split('/')[1]), 0)
        return Verdict({'head %d' % i: i >= count for i in range(3)}, [])
    return check


def test_products_hold_everything_and_so_do_the_files(tmp_path):
    ws = np.array([[1.23456789, -2e-7]] * 3)
    products = make(tmp_path, Writer(), ws=ws)
    lines = (tmp_path / 'products.jsonl').read_text(encoding='utf-8').splitlines()
    assert [json.loads(line) for line in lines] == products
    first = products[0]
    assert first['prompt'] == 'red dress' and first['text'] == 'red dress/5'
    assert first['w'] == [1.2346, -2e-7] and first['text_seed'] == 5 and first['psi'] == 0.7
    assert first['category'] == 'dress' and first['tags'] == ['red', 'dress']
    assert first['attributes']['colour'] == 'red' and first['probabilities']['colour'] == 0.9
    assert first['agreement'] == {} and first['redrawn'] == 0
    assert first['origin'] == {'synthetic': 'yes', 'seed': 5, 'psi': 0.7}
    assert images.read_origin(tmp_path / first['image'])['seed'] == '5'


def test_contradicting_texts_alone_are_written_again_and_the_best_is_kept(tmp_path):
    again = fakes.redraw_seed(6, 1), fakes.redraw_seed(7, 1), fakes.redraw_seed(7, 2)
    writer = Writer()
    products = make(tmp_path, writer, tries=2, check=verdicts(
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
    products = make(tmp_path, writer, tries=tries, check=lambda *pair: Verdict({'a': False}, []))
    assert len(writer.asked) == 1 + tries
    assert [product['redrawn'] for product in products] == [tries] * 3


def test_seeds_of_redrawn_texts_are_seeds_and_new():
    seeds = {fakes.redraw_seed(seed, attempt) for seed in range(500) for attempt in range(6)}
    assert len(seeds) == 3000
    assert 0 <= fakes.redraw_seed(2 ** 32 - 1, 5) < 2 ** 32
