"""Rare classes are found and sampled: on a latent space whose class region is known."""

import numpy as np
import pytest
import toy_codes
from toy_codes import AXIS, codes_of, latent, look

from dnnlib import neighbours
from dnnlib.files import UserError
from rare import config
from rare import region as rare
from stylegan import labelled
from stylegan.whitening import mixes


def _config(**more):
    return config.Rare(**dict(dict(count=100, search=4000, sure=0.5, psi=1.0), **more))


def _region(w, scores, options, gan=None, **more):
    gan = gan or toy_codes.Generator()
    return rare.Region(gan, gan, w, scores, options, **more)


@pytest.fixture(scope='module')
def searched():
    w = codes_of(4000, 0)
    return w, look(w)[1]


def _rarer(w):
    return 1 / (1 + np.exp(-10 * (latent(w) @ AXIS - 3.3)))


def test_rejection_sampling_counts_what_it_drew(searched):
    """Against the same proposals, accepted by hand."""
    gan = toy_codes.Generator()
    region = _region(*searched, _config(count=40, sure=0.9), gan)
    before = gan.drawn
    accepted = region.sample('mix')
    proposals = np.concatenate([mixes(region.found, 64, np.random.RandomState([0, 61, 64 * i]))
                                for i in range(-(-accepted.drawn // 64))])
    scores = look(proposals)[1]
    indices = np.flatnonzero(scores >= 0.9)[:40]
    assert accepted.drawn == indices[-1] + 1 <= gan.drawn - before
    np.testing.assert_array_equal(accepted.w, proposals[indices])
    np.testing.assert_array_equal(accepted.scores, scores[indices])
    np.testing.assert_array_equal(accepted.sources, accepted.w)
    np.testing.assert_array_equal(accepted.pictures, look(accepted.w)[0])
    np.testing.assert_array_equal(accepted.raw, look(proposals)[0][:40])
    again = _region(*searched, _config(count=40, sure=0.9)).sample('mix')
    np.testing.assert_array_equal(accepted.w, again.w)


def test_giving_up_when_nothing_is_accepted(searched):
    w, scores = searched
    never = toy_codes.Generator(lambda w: np.zeros(len(w)))
    region = _region(w, scores, _config(count=2, most=35), never, extra=w[:70])
    with pytest.raises(UserError, match='none of 70 images by --method gaussian was accepted'):
        region.sample('gaussian')


def test_methods_are_cheaper_than_the_search_and_as_varied(searched):
    region = _region(*searched, _config(method='all'))
    search = region.searched(80.0)
    assert search.drawn > 25 * len(search)
    assert search.seconds == pytest.approx(80 * search.drawn / 4000)
    for method in ('mix', 'gaussian', 'shift'):
        accepted = region.sample(method)
        assert len(accepted) == 100 and search.drawn / len(search) > 10 * accepted.drawn / 100
        assert (accepted.scores >= 0.5).all()
        if method != 'mix':
            assert (region.space.distances(accepted.w) <= region.space.limit).all()
        assert (method == 'shift') != np.array_equal(accepted.sources, accepted.w)
        varied = [neighbours.mean_distance(latent(each.w) @ np.diag([0, 0, 1, 1, 1, 1]))
                  for each in (accepted, search)]
        assert varied[0] > (0.6 if method == 'mix' else 0.8) * varied[1]


def test_too_few_codes_are_refined(searched):
    w, _ = searched
    few = _config(few=60)
    region = _region(w, _rarer(w), few, toy_codes.Generator(_rarer))
    assert region.hits < 6 and len(region.found) >= 60 and region.refining > 0
    accepted = region.sample('gaussian')
    assert len(accepted) == 100 and accepted.drawn < 2000
    never = toy_codes.Generator(lambda w: np.zeros(len(w)))
    with pytest.raises(UserError, match='none of 7072 images, refined ones included, is'):
        _region(w, np.zeros(len(w)), few, never)
    with pytest.raises(UserError, match='none of 4000 images is of the class; use'):
        _region(w, np.zeros(len(w)), _config(method='search'), never).searched(1.0)


def test_methods_need_what_the_search_has_found(searched):
    w, _ = searched
    region = _region(w, _rarer(w), _config(few=1, method='all'), toy_codes.Generator(_rarer))
    assert 0 < region.hits < rare.FEWEST
    assert [method for method in config.METHODS if region.able(method)] == [
        'mix', 'gaussian', 'search']
    with pytest.raises(UserError, match='too few for --method shift; use mix'):
        region.sample('shift')


def test_extra_codes_count_as_found(searched):
    w, scores = searched
    region = _region(w, scores, _config(), extra=w[:70])
    assert len(region.found) == region.hits + 70


class Tagger:
    """Predicts a jumpsuit by its probability; counts the images."""

    def __init__(self, gan):
        self._gan, self.seen = gan, 0
        self.heads = {'category': ('dress', 'jumpsuit')}

    def probabilities(self, pictures):
        self.seen += len(pictures)
        p = self._gan.scores(pictures)
        return {'category': np.float32(np.stack([1 - p, p], 1))}


class Seeded(toy_codes.Generator):
    def seeded(self, seeds):
        return codes_of(4000, 0)[list(seeds)]

    def w(self, z):
        return z


def test_a_search_is_cached_and_resumed(tmp_path):
    gan, path = Seeded(), tmp_path / 'search.npz'
    tagger = Tagger(gan)
    first, _ = rare.search(path, gan, tagger, _config(search=1200), {'of': 'a'})
    assert tagger.seen == 1200
    longer, seconds = rare.search(path, gan, tagger, _config(search=1500), {'of': 'a'})
    assert tagger.seen == 1500 and seconds > 0
    np.testing.assert_array_equal(longer.w, codes_of(4000, 0)[:1500])
    shorter, _ = rare.search(path, gan, tagger, _config(search=1200), {'of': 'a'})
    assert tagger.seen == 1500
    for one, other in ((first.w, shorter.w), (first.probabilities['category'],
                                              shorter.probabilities['category'])):
        np.testing.assert_array_equal(one, other)
    assert isinstance(shorter, labelled.LabelledSample) and len(shorter) == 1200
    rare.search(path, gan, tagger, _config(search=100), {'of': 'b'})
    assert tagger.seen == 1600
    rare.search(path, gan, tagger, _config(search=100, psi=0.5), {'of': 'b'})
    assert tagger.seen == 1700


def test_separate_styles_per_layer_are_refused():
    ws = np.repeat(np.float32([[[1, 2]], [[3, 4]]]), 3, 1)
    np.testing.assert_array_equal(rare.single_w(ws, 'w.npz'), [[1, 2], [3, 4]])
    ws[1, 2] += 1
    with pytest.raises(UserError, match='a separate style for each layer'):
        rare.single_w(ws, 'w.npz')


@pytest.mark.parametrize('wrong, words', [
    ({'method': 'luck'}, "--method 'luck' is unknown; choose from mix, gaussian"),
    ({'count': 0}, '--count 0 is too small'), ({'sure': 1.0}, '--sure 1.0 is too large'),
    ({'search': 3}, '--search 3 is too small; the least is 20')])
def test_impossible_options_are_refused(wrong, words):
    with pytest.raises(UserError, match=words):
        config.Rare(**wrong)
