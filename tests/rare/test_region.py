"""Rare classes are found and drawn: on a latent space whose class region is known."""

import numpy as np
import pytest
from toy_codes import AXIS, SIZE, codes_of, latent, look

from dnnlib.files import UserError
from rare import region as rare
from stylegan import labelled


def _how(**more):
    return rare.Rare(**dict(dict(count=100, search=4000, sure=0.5), **more))


@pytest.fixture(scope='module')
def searched():
    w = codes_of(4000, 0)
    return w, look(w)[1]


def test_a_harvest_counts_what_it_looked_at():
    looked = []

    def propose(count, rng):
        w = rng.randn(count, SIZE).astype(np.float32)
        return w, w + 1

    def seen(w):
        looked.append(len(w))
        return np.zeros([len(w), 2, 2, 3], np.uint8), w[:, 0]
    found = rare.harvest(propose, seen, 40, accept=lambda w, scores: scores > 1, seed=0, most=2000)
    assert len(found) == 40 and (found.scores > 1).all() and found.raw.shape[0] == 40
    assert 40 / 0.25 < found.drawn <= sum(looked)
    np.testing.assert_array_equal(found.sources, found.w + 1)
    again = rare.harvest(propose, seen, 40, accept=lambda w, scores: scores > 1, seed=0, most=2000)
    np.testing.assert_array_equal(found.w, again.w)
    none = rare.harvest(propose, seen, 4, accept=lambda w, scores: scores > 99, seed=0, most=70)
    assert len(none) == 0 and none.drawn == 70


def test_methods_are_cheaper_than_the_search_and_as_varied(searched):
    region = rare.Region(*searched, look=look, how=_how(method='all'))
    found = region.harvests(80.0, lambda count, rng: codes_of(count, rng.randint(2 ** 31)))
    assert set(found) == {'mix', 'gaussian', 'shift', 'search'}
    search = found['search']
    assert search.drawn > 25 * len(search)
    assert search.seconds == pytest.approx(80 * search.drawn / 4000)
    for method in ('mix', 'gaussian', 'shift'):
        harvest = found[method]
        assert len(harvest) == 100 and search.drawn / len(search) > 10 * harvest.drawn / 100
        if method != 'mix':
            assert (region.space.distances(harvest.w) <= region.space.limit).all()
        varied = [rare.mean_distance(latent(each.w) @ np.diag([0, 0, 1, 1, 1, 1]))
                  for each in (harvest, search)]
        assert varied[0] > (0.6 if method == 'mix' else 0.8) * varied[1]


def test_of_a_class_that_is_hardly_found_more_is_made(searched):
    w, _ = searched

    def rarer(w):
        return look(w)[0], 1 / (1 + np.exp(-10 * (latent(w) @ AXIS - 3.3)))
    how = _how(few=60)
    region = rare.Region(w, rarer(w)[1], rarer, how)
    assert region.hits < 6 and len(region.found) >= 60 and region.refining > 0
    harvest = region.gaussian()
    assert len(harvest) == 100 and harvest.drawn < 2000
    with pytest.raises(UserError, match='nothing like that'):
        rare.Region(w, np.zeros(len(w)), lambda w: (None, np.zeros(len(w))), how)
    with pytest.raises(UserError, match='nothing like that'):
        rare.Region(w, np.zeros(len(w)), rarer, _how(method='search')).search(1.0)


def test_all_methods_are_those_that_the_search_found_enough_for(searched):
    w, _ = searched
    scores = 1 / (1 + np.exp(-10 * (latent(w) @ AXIS - 3.3)))
    region = rare.Region(w, scores, look, _how(few=1, method='all'))
    assert region.hits < rare.FEWEST
    found = region.harvests(1.0, None)
    assert list(found) == ['mix', 'gaussian'] + ['search'] * (region.hits > 0)
    with pytest.raises(UserError, match='too few for --method shift; use mix'):
        region.shift(None)


def test_extra_codes_count_as_found(searched):
    w, scores = searched
    region = rare.Region(w, scores, look, _how(), extra=w[:70])
    assert len(region.found) == region.hits + 70


def test_diversity_is_the_mean_distance_of_two():
    x = np.random.RandomState(0).randn(30, 4)
    pairs = [np.linalg.norm(a - b) for i, a in enumerate(x) for b in x[:i]]
    assert rare.mean_distance(x) == pytest.approx(np.mean(pairs))
    assert rare.mean_distance(x[:1]) == 0
    assert rare.mean_distance(x, most=10) == pytest.approx(rare.mean_distance(x[::3]))


def test_codes_of_one_style_per_layer_are_refused():
    ws = np.repeat(np.float32([[[1, 2]], [[3, 4]]]), 3, 1)
    np.testing.assert_array_equal(rare.single(ws, 'w.npz'), [[1, 2], [3, 4]])
    ws[1, 2] += 1
    with pytest.raises(UserError, match='another style for each layer'):
        rare.single(ws, 'w.npz')


def test_a_contest_gets_pictures_as_they_come_and_filtered_ones(searched):
    w, scores = searched
    make = rare.synthesiser(lambda: w, lambda codes: np.uint8(np.clip(
        latent(codes) @ AXIS * 40 + 100, 0, 255))[:, None, None, None] + np.zeros(
            [1, 2, 2, 3], np.uint8))

    def light(pictures):
        return pictures.mean((1, 2, 3)) / 40 - 2.5 > 1.88
    plain, filtered = make(scores, light, 50, 3)
    assert plain.shape == filtered.shape == (50, 2, 2, 3)
    assert light(filtered).all() and 0.2 < light(plain).mean() < 1
    plain, filtered = make(np.zeros(len(w)), lambda pictures: np.zeros(len(pictures)), 5, 3)
    assert plain.shape == filtered.shape == (0, 2, 2, 3)


@pytest.mark.parametrize('wrong', [{'method': 'luck'}, {'count': 0}, {'sure': 1.0}, {'search': 3}])
def test_impossible_knobs_are_refused(wrong):
    with pytest.raises(UserError):
        rare.Rare(**wrong)
