"""Codes are whitened, a class's Gaussian is recovered, and a boundary crossed: on known codes."""

import numpy as np
import pytest
from toy_codes import AXIS, SIZE, codes_of, latent, look

from stylegan import whitening


@pytest.fixture(scope='module')
def searched():
    w = codes_of(4000, 0)
    return w, look(w)[1]


def test_whitening_and_its_inverse(searched):
    place = whitening.Space(searched[0])
    u = place.whitened(searched[0])
    np.testing.assert_allclose(u.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(u.T @ u / len(u), np.eye(SIZE), atol=1e-9)
    np.testing.assert_allclose(place.codes(u), searched[0], atol=1e-4)
    fresh = place.distances(codes_of(4000, 1)) > place.limit
    assert 0.003 < fresh.mean() < 0.02
    flat = np.concatenate([searched[0], searched[0][:, :1]], 1)  # an axis that says nothing new
    assert whitening.Space(flat).size == SIZE


def test_a_gaussian_is_recovered():
    """Of many codes the Gaussian has their mean and covariance, of few that of all."""
    place = whitening.Space(codes_of(20000, 0))
    u = np.random.RandomState(5).randn(5000, SIZE) * [0.3, 1, 1, 1, 1, 1] + [2, 0, 0, 0, 0, 0]
    draw = whitening.gaussian(place, place.codes(u))
    drawn = place.whitened(draw(20000, np.random.RandomState(1)))
    np.testing.assert_allclose(drawn.mean(0), u.mean(0), atol=0.05)
    np.testing.assert_allclose(drawn.std(0), [0.3, 1, 1, 1, 1, 1], atol=0.05)
    draw = whitening.gaussian(place, place.codes(u[:6]))
    few = place.whitened(draw(20000, np.random.RandomState(1)))
    assert few.std(0)[0] > 0.6
    draw = whitening.gaussian(place, place.codes(u), 0.5)
    half = place.whitened(draw(9000, np.random.RandomState(1)))
    np.testing.assert_allclose(half.std(0), [0.15, .5, .5, .5, .5, .5], atol=0.03)


def test_shrinkage_has_the_least_error():
    """Against the best shrinkage in hindsight, over many small samples."""
    random = np.random.RandomState(0)
    truth = np.diag([0.1, 0.5, 1, 1, 1, 2.0])
    errors = {share: [] for share in (0, 0.25, 0.5, 0.75, 1, 'own')}
    for _ in range(200):
        x = random.randn(15, 6) @ np.sqrt(truth)
        own = x.T @ x / len(x)
        for share, found in errors.items():
            part = whitening.shrinkage(x) if share == 'own' else share
            found.append(np.square((1 - part) * own + part * np.eye(6) - truth).sum())
    means = {share: np.mean(each) for share, each in errors.items()}
    assert means['own'] < 1.15 * min(means.values())
    assert whitening.shrinkage(random.randn(100000, 6) * 0.1) < 0.01


def test_shifted_codes_cross_the_boundary_and_keep_the_rest(searched):
    w, scores = searched
    place, positive = whitening.Space(w), scores >= 0.5
    codes = codes_of(300, 7)
    moved = whitening.shift(place, w, positive)(codes, np.random.RandomState(0))
    assert look(codes)[1].mean() < 0.1 and (look(moved)[1] >= 0.5).mean() > 0.9
    before, after = latent(codes), latent(moved)
    across = np.eye(SIZE) - np.outer(AXIS, AXIS)
    assert np.abs((after - before) @ across).max() < 0.25 * np.abs(after - before).max()
    own = w[positive][:50]
    still = whitening.shift(place, w, positive, margin=0)(own, np.random.RandomState(0))
    np.testing.assert_allclose(still[look(own)[1] > 0.9], own[look(own)[1] > 0.9], atol=0.2)


def test_mixes_are_convex_combinations():
    found = np.float32([[0, 0], [1, 0], [0, 1]])
    mixed = whitening.mixes(found, 500, np.random.RandomState(0))
    assert (mixed >= -1e-6).all() and (mixed.sum(1) <= 1 + 1e-6).all() and mixed.std() > 0.1
