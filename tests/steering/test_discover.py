"""Directions found in a toy world are the true ones."""

import numpy as np
import pytest
from toy_world import Tagger, World

from dnnlib.files import UserError
from steering import discover
from stylegan import labelled, linear

CONFIG = discover.Discovery(count=600, fewest=20, components=3, ordered='size=small<medium<large')


@pytest.fixture(scope='module')
def sample():
    return labelled.collect(World(), Tagger(), count=CONFIG.count, psi=1.0, seed=0)


def test_labelled_directions_increase_their_value(sample):
    found = {direction.name: direction for direction in discover.supervised(sample, CONFIG)}
    assert list(found) == ['category=dress', 'category=top', 'colour=blue', 'colour=grey',
                           'colour=red', 'size=small', 'size=medium', 'size=large', 'size']
    for name, axis, sign in [('category=top', 0, 1), ('category=dress', 0, -1),
                             ('colour=red', 1, 1), ('colour=blue', 1, -1), ('size=large', 2, 1),
                             ('size', 2, 1)]:
        own = found[name]
        assert own.auc > 0.9 and sign * own.normal[axis] > 0.8 * np.linalg.norm(own.normal), name
        way = linear.unit(linear.covariance(sample.w) @ own.normal)
        assert own.vector @ way > 0.95 and abs(np.linalg.norm(own.vector) - 1) < 1e-6
    assert found['size'].kind == 'ridge'
    assert found['colour=grey'].auc < 0.7  # what lies in the middle is no direction


def test_an_ordinal_value_is_estimated(sample):
    size, = [own for own in discover.supervised(sample, CONFIG) if own.name == 'size']
    shows = sample.values['size'] > 0
    rank = sample.values['size'][shows] - 1
    assert np.corrcoef(sample.w[shows] @ size.normal + size.bias, rank)[0, 1] > 0.8


@pytest.mark.parametrize('method', ['lda', 'logistic', 'best'])
def test_methods(sample, method):
    y = sample.values['colour'] == 2
    own = discover.binary('colour=red', sample.w, y, method)
    assert own.kind in ('lda', 'logistic') and method in ('best', own.kind)
    scores = sample.w @ own.normal + own.bias
    assert linear.auc(scores, y) > 0.95 and scores[y].mean() > 0 > scores[~y].mean()


def test_held_out_auc_of_random_labels_is_chance():
    rng = np.random.RandomState(0)
    w, y = rng.randn(60, 20), rng.rand(60) < 0.5
    assert linear.auc(w @ linear.lda(w, y)[0], y) > 0.75  # it overfits
    assert 0.3 < discover.binary('chance', w, y, 'lda').auc < 0.7


def test_unsupervised(sample):
    found = discover.unsupervised(World(), sample.w, 2)
    assert [own.name for own in found] == ['pca0', 'pca1'] + [
        f'sefa-{band}{index}' for band in ('coarse', 'middle', 'fine') for index in (0, 1)]
    assert found[0].scale > found[1].scale and np.isnan(found[0].auc)
    assert {own.band for own in found} == {'all', 'coarse', 'middle', 'fine'}
    assert abs(np.mean(sample.w @ found[0].normal + found[0].bias)) < 1e-4


def test_hand_labels_use_the_truncation_of_their_images(sample):
    world, seeds = World(), range(300)
    small = 0.5 * world.w(world.seeded(seeds))
    rows = [(seed, 0.5, bool(w[1] > 0.2)) for seed, w in zip(seeds, small)]
    own, = discover.from_hand_labels(world, {'warm': rows}, CONFIG)
    assert own.name == 'warm' and own.auc > 0.95
    assert own.normal[1] > 0.8 * np.linalg.norm(own.normal)
    assert np.mean((small @ own.normal + own.bias > 0) == [yes for _, _, yes in rows]) > 0.85
    with pytest.raises(UserError, match="'warm' has 3 yes and 0 no; label 8 of each"):
        discover.check_hand_labels({'warm': [(0, 1.0, True)] * 3})
    named = discover.find(world, sample, {'colour=red': rows}, CONFIG)
    assert len([own for own in named if own.name == 'colour=red']) == 1


def test_orders():
    assert discover.orders('a=x<y; b = 1 < 2 < 3') == {'a': ['x', 'y'], 'b': ['1', '2', '3']}
    assert discover.orders('') == {}
    with pytest.raises(UserError, match='length=mini<midi<maxi'):
        discover.orders('length')
    with pytest.raises(UserError, match='length=mini<midi<maxi'):
        discover.Discovery(ordered='length')
    with pytest.raises(UserError, match='lda, logistic, best'):
        discover.Discovery(method='svm')
