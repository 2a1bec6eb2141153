"""Yield, diversity and cost of a method; its output folder is a catalogue."""

import numpy as np
import pytest

from catalog import source
from dnnlib import images
from rare import report
from tagger import target_class

HEADS = {'category': ('dress', 'jumpsuit'), 'colour': ('black', 'red'),
         'sleeve': ('', 'long sleeves', 'short sleeves'), 'trim': ('lace', 'red')}


class Judge:
    """A tagger that predicts a jumpsuit for light images, and always red."""

    heads = HEADS

    def probabilities(self, pictures):
        light = pictures.mean((1, 2, 3)) / 255
        return {'category': np.stack([1 - light, light], 1),
                'colour': np.tile([0.1, 0.9], [len(pictures), 1])}

    def features(self, pictures):
        return pictures.mean((1, 2, 3))[:, None] / 255


def test_hit_rate_of_a_judge():
    target = {'category': 'jumpsuit', 'colour': 'red'}
    pictures = np.uint8([10, 20, 200, 250])[:, None, None, None] * np.ones([1, 2, 2, 3], np.uint8)
    assert report.hit_rate(Judge(), target, pictures) == 0.5
    assert report.hit_rate(Judge(), {'colour': 'black'}, pictures) == 0
    assert report.knows(HEADS, target) and not report.knows(HEADS, {'colour': 'gold'})


def test_attributes_unchanged_by_a_shift():
    dark, light = [np.full([3, 2, 2, 3], value, np.uint8) for value in (20, 250)]
    target = {'colour': 'red'}
    assert report.kept(Judge(), target, dark, light) == {}
    assert report.kept(Judge(), {'category': 'jumpsuit'}, dark, light) == {'colour': 1.0}
    row = dict(_figures(Judge(), PHOTOS, PRODUCTS), kept={'colour': 0.25, 'sleeve': 1.0})
    assert 'attributes unchanged: colour 25 %, sleeve 100 %' in (
        report.table({'shift': row}))


def _grey(*values):
    return np.uint8(values)[:, None, None, None] * np.ones([1, 32, 32, 3], np.uint8)


class Accepted:
    pictures, raw = _grey(250, 240, 230, 200), _grey(*range(0, 16, 2))
    drawn, seconds = 8, 4.0


class Found:
    pictures = _grey(100, 200)


PHOTOS = _grey(0, 60, 120, 250)
PRODUCTS = [source.Product(None, 'a.png', '', category, (), '', ())
            for category in ('jumpsuit', 'dress', 'jumpsuit', 'dress')]


def _figures(*known, **more):
    """known: judge, photos and products of the Reference."""
    reference = report.Reference({'category': 'jumpsuit'}, Judge(), *known)
    return reference.figures(Accepted, **more)


def test_figures_of_a_method():
    row = _figures(Judge(), PHOTOS, PRODUCTS, found=Found, before=(92, 6))
    own = np.mean([abs(a - b) for i, a in enumerate((250, 240, 230, 200))
                   for b in (250, 240, 230, 200)[:i]]) / 255
    assert row['accepted'] == 4 and row['drawn'] == 8
    assert row['yield'] == 1 and row['yield_of_all_drawn'] == 0
    assert row['diversity'] == pytest.approx(own)
    assert row['diversity_of_found'] == pytest.approx(own / (100 / 255))
    assert row['diversity_of_real'] == pytest.approx(own / (120 / 255))
    usual = 60  # the median difference of these photos to the nearest other one
    assert row['nearest_median'] == pytest.approx(15 / usual, abs=1e-3)
    assert row['nearest_least'] == pytest.approx(0, abs=1e-3)
    assert (row['pictures_each'], row['seconds_each']) == (2, 1)
    assert (row['pictures_each_all_in'], row['seconds_each_all_in']) == (25, 2.5)


def test_figures_without_a_suitable_judge_or_photos():
    ignorant = Judge()
    ignorant.heads = {'category': ('hat', 'glove')}
    for judge in (None, ignorant):
        bare = _figures(judge, None, ())
        assert {name for name, value in bare.items() if value is None} == {
            'yield', 'yield_of_all_drawn', 'diversity_of_found', 'diversity_of_real',
            'nearest_median', 'nearest_least'}
    search = dict(_figures(Judge(), PHOTOS, PRODUCTS), pictures_each=40.0)
    bare['pictures_each_all_in'] = 25.0
    text = report.table({'gaussian': bare, 'search': search})
    assert 'gaussian: 20.0 times fewer images' in text
    assert '(1.6 times fewer with the search counted)' in text
    search['pictures_each'] = 0.5
    assert 'gaussian: 2.0 times more images per' in report.table({'gaussian': dict(
        bare, pictures_each=1.0), 'search': search})
    assert text.splitlines()[1].split()[:3] == ['gaussian', '4', '-']


def test_the_catalogue_can_be_read_again(tmp_path):
    products = [{'image': f'products/{i}.png', 'text': 'A "red", long\nthing', 'category':
                 'jumpsuit', 'attributes': {'category': 'jumpsuit', 'colour': 'red',
                                            'sleeve': ['', 'long sleeves'][i]}} for i in range(2)]
    for product in products:
        images.write_png(tmp_path / product['image'], np.zeros([4, 4, 3], np.uint8))
    report.write_table(tmp_path, products, HEADS)
    read = source.read(tmp_path)
    assert [p.description for p in read] == ['A "red", long\nthing'] * 2
    assert read[0].attributes == (('colour', 'red'), ('sleeve', ''))
    assert target_class.among(read, {'category': 'jumpsuit', 'colour': 'red'}) == [0, 1]
    assert target_class.among(read, {'colour': 'black'}) == []
