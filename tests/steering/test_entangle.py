"""Bands, hits and flips of directions in a toy world."""

import dataclasses

import numpy as np
import pytest
from toy_world import Tagger, World

from steering import discover, entangle
from steering.directions import Direction
from stylegan import labelled, linear

CONFIG = discover.Discovery(count=500, fewest=20, components=1, ordered='size=small<medium<large')


@pytest.fixture(scope='module')
def probe():
    sample = labelled.collect(World(turn=0), Tagger(), count=CONFIG.count, psi=1.0, seed=0)
    return entangle.Probe(World(turn=0), Tagger(), sample, 30)


def _along(axis, name, band='all'):
    """A direction along one axis of w alone."""
    vector = np.float32(np.eye(8)[axis])
    return Direction(name, vector, 1.0, band, 'lda', 0.9, vector, 0.0)


def test_a_pure_direction_hits_in_its_band_alone_and_flips_nothing(probe):
    own = _along(1, 'colour=red')
    hit, flips, gained = probe.towards(own, own.vector, 'fine')
    assert hit > 0.9 and flips == {'category': 0, 'size': 0} and not gained
    assert probe.towards(own, own.vector, 'coarse')[0] == 0


def test_the_band_is_found(probe):
    for axis, name, band in [(1, 'colour=red', 'fine'), (0, 'category=top', 'coarse')]:
        own, figures = entangle.study(probe, _along(axis, name), {})
        assert own.band == figures['before']['band'] == band, name
        assert set(figures['bands']) == set(entangle.BANDS)


def test_an_entangled_direction_is_made_orthogonal(probe, monkeypatch):
    monkeypatch.setattr(entangle, 'BANDS', ('all',))  # in the fine layers it would not change
    way = np.float32(linear.unit([0, 1, -2, 0, 0, 0, 0, 0]))  # red, and small by the way
    own = dataclasses.replace(_along(1, 'colour=red'), vector=way)
    known = {'size=small': _along(2, 'size=small'), 'colour=red': own}
    better, figures = entangle.study(probe, own, known)
    assert figures['removed'] == ['size=small']
    assert figures['before']['flips']['size'] > 0.15 > figures['after']['flips']['size']
    assert abs(better.vector[2]) < 1e-3 and better.vector[1] > 0


def test_a_value_that_no_image_shows_is_not_measured(probe):
    values = dict(probe.sample.probabilities)
    values['colour'] = values['colour'].copy()
    values['colour'][:, 2] = 0  # nothing is red
    sample = labelled.LabelledSample(probe.sample.w, probe.sample.heads, values)
    own = _along(1, 'colour=red')
    assert entangle.Probe(World(turn=0), Tagger(), sample, 30).towards(
        own, own.vector, 'fine') is None


def test_without_a_target_value_all_heads_are_measured(probe):
    flips = probe.along(_along(1, 'pca0'), 'fine')
    assert flips['colour'] > 0.5 and flips['category'] == flips['size'] == 0


def test_an_ordinal_direction_gets_its_best_band(probe):
    studied, figures = entangle.study_all(probe, [_along(2, 'size'), _along(1, 'pca0')])
    assert studied[0].band == 'coarse' and figures['size']['others'] == 0 < figures['size']['hit']
    assert studied[1].band == 'all' and figures['pca0']['flips']['colour'] > 0.5


def test_all_directions_are_measured_and_reported(probe, tmp_path):
    found = discover.find(World(turn=0), probe.sample, {}, CONFIG)
    studied, figures = entangle.study_all(probe, found)
    assert [own.name for own in studied] == list(figures) == [own.name for own in found]
    text = entangle.write(tmp_path, studied, figures)
    assert len(text.splitlines()) == len(found) + 2
    assert (tmp_path / 'directions.txt').read_text() == text + '\n'
    assert '"colour=red"' in (tmp_path / 'directions.json').read_text()
    assert 'NaN' not in (tmp_path / 'directions.json').read_text()


def test_a_strip_has_increasing_strengths(probe):
    own = _along(1, 'colour=red', 'fine')
    sheet = entangle.strip(World(turn=0), probe.sample, own)
    shown = [sheet[50, index * 130 + 64, 0] for index in range(len(entangle.STRENGTHS))]
    assert shown == sorted(shown) and shown[-1] > shown[0]


def test_file_names_are_unique():
    names = ['sleeve=long sleeves', 'sleeve=long  sleeves', 'a/../b', '..', 'x' * 300]
    assert entangle.file_names([_along(0, name) for name in names]) == [
        'sleeve=long-sleeves', 'sleeve=long-sleeves-2', 'a-..-b', 'direction', 'x' * 100]


def test_a_hand_label_that_is_not_a_value_is_measured(probe, tmp_path):
    studied, figures = entangle.study_all(probe, [_along(1, 'colour=w\x1b[31marm')])
    assert figures['colour=w\x1b[31marm']['flips']['colour'] > 0.5
    assert '\x1b' not in entangle.write(tmp_path, studied, figures)
