"""Linear models and directions against closed forms and brute force."""

import numpy as np
import pytest

from stylegan import linear, whitening


def _sides(count=600, size=6, seed=0):
    """w of two Gaussians with one covariance, and which of them each is of."""
    random = np.random.RandomState([seed, 92])
    y = random.rand(count) < 0.3
    turn = np.eye(size) + 0.3 * random.randn(size, size)
    return random.randn(count, size) @ turn + np.outer(y, np.arange(size) / 3), y, turn


def test_pspace_undoes_the_leaky_relu():
    v = np.random.RandomState(0).randn(50, 4)
    w = np.where(v > 0, v, 0.2 * v)
    np.testing.assert_allclose(whitening.pspace(w), v, atol=1e-12)
    np.testing.assert_allclose(whitening.from_pspace(v), w, atol=1e-12)


def test_lda_is_the_direction_between_two_gaussians():
    w, y, turn = _sides(20000)
    normal, bias = linear.lda(w, y, shrink=1e-6)
    expected = np.linalg.solve(turn.T @ turn, np.arange(6) / 3)
    np.testing.assert_allclose(normal, expected, atol=0.1)
    middle = (w[y].mean(0) + w[~y].mean(0)) / 2
    assert abs(middle @ normal + bias) < 1e-9


def test_shrinkage_moves_lda_towards_the_difference_of_means():
    w, y, _ = _sides()
    means = linear.unit(w[y].mean(0) - w[~y].mean(0))
    angles = [linear.unit(linear.lda(w, y, shrink)[0]) @ means for shrink in (0.01, 1, 1e6)]
    assert angles == sorted(angles) and angles[-1] > 0.9999 > angles[0]


def test_logistic_is_a_minimum_of_the_loss():
    w, y, _ = _sides()
    normal, bias = linear.logistic(w, y, weight=2.0)
    p = 1 / (1 + np.exp(-(w @ normal + bias)))
    np.testing.assert_allclose(np.sum(p - y), 0, atol=1e-4)
    spread = w.std(0)
    slope = (w - w.mean(0)).T @ (p - y) / spread
    np.testing.assert_allclose(slope, -2 * normal * spread, atol=1e-3)
    assert np.mean((p > 0.5) == y) > 0.7


def test_logistic_handles_separable_classes():
    w = np.concatenate([np.random.RandomState(0).randn(30, 3) + side for side in (-9, 9)])
    normal, bias = linear.logistic(w, np.arange(60) >= 30)
    assert np.array_equal(w @ normal + bias > 0, np.arange(60) >= 30) and np.isfinite(normal).all()


def test_ridge_finds_a_line_and_leaves_the_mean_free():
    w = np.random.RandomState(0).randn(400, 5)
    vector, bias = linear.ridge(w, w @ [1, -2, 0, 0, 3] + 40, weight=1e-6)
    np.testing.assert_allclose(vector, [1, -2, 0, 0, 3], atol=1e-6)
    assert abs(bias - 40) < 1e-6
    heavy, bias = linear.ridge(w, w @ [1, -2, 0, 0, 3] + 40, weight=1e9)
    assert np.abs(heavy).max() < 1e-3 and abs(bias - 40) < 0.5


def test_auc_counts_pairs():
    random = np.random.RandomState(0)
    scores, y = random.randint(0, 8, 90) / 2, random.rand(90) < 0.4
    pairs = [1.0 if a > b else 0.5 if a == b else 0 for a in scores[y] for b in scores[~y]]
    assert abs(linear.auc(scores, y) - np.mean(pairs)) < 1e-12
    assert linear.auc(np.arange(4), [False, False, True, True]) == 1


def test_pca_finds_axes_in_order_with_fixed_signs():
    random = np.random.RandomState(0)
    axes = np.linalg.qr(random.randn(4, 4))[0]
    w = random.randn(5000, 4) * [4, 3, 2, 1] @ axes + 7
    found, variances = linear.pca(w)
    assert np.allclose(np.abs(found @ axes.T), np.eye(4), atol=0.06)
    np.testing.assert_allclose(variances, [16, 9, 4, 1], rtol=0.1)
    assert all(axis[np.abs(axis).argmax()] > 0 for axis in found)


def test_sefa_ignores_scales():
    random = np.random.RandomState(0)
    first, second = random.randn(6, 10), random.randn(6, 4)
    one = linear.sefa([first, second])
    other = linear.sefa([first * 30, second * random.rand(4)])
    np.testing.assert_allclose(one[0], other[0], atol=1e-9)
    assert np.all(np.diff(one[1]) <= 0) and abs(one[1].sum() - 14) < 1e-9
    flat = np.outer([1, 0, 0, 0, 0, 0], np.ones(3))
    assert np.allclose(linear.sefa([flat])[0][0], [1, 0, 0, 0, 0, 0])


def test_orthogonal_directions_keep_the_scores():
    random = np.random.RandomState(0)
    own, others = random.randn(8), random.randn(3, 8)
    left = linear.orthogonal(own, np.concatenate([others, others[:1] * 2]))
    np.testing.assert_allclose(others @ left, 0, atol=1e-12)
    assert abs(np.linalg.norm(left) - 1) < 1e-12 and left @ own > 0
    assert np.array_equal(linear.orthogonal(own, []), linear.unit(own))


def test_a_step_is_the_shortest_in_standard_deviations():
    random = np.random.RandomState(0)
    turn = random.randn(5, 5)
    spread, normal, others = turn @ turn.T, random.randn(5), random.randn(2, 5)
    step = linear.step(normal, spread)
    np.testing.assert_allclose(step, linear.unit(spread @ normal), atol=1e-4)
    without = linear.step(normal, spread, others)
    np.testing.assert_allclose(others @ without, 0, atol=1e-9)

    def length(way):  # of the step that raises the score by one
        way = way / (normal @ way)
        return way @ np.linalg.solve(spread, way)
    assert length(without) > length(step)
    null = np.linalg.svd(others)[2][2:]  # all ways that leave the others as they are
    for _ in range(50):
        assert length(random.randn(3) @ null) >= length(without) - 1e-4
        assert length(random.randn(5)) >= length(step) - 1e-4


def test_one_unit_is_one_standard_deviation():
    w = np.random.RandomState(0).randn(2000, 3) * [1, 5, 2]
    assert abs(linear.scale(w, [0, 1, 0]) - 5) < 0.3


def test_a_single_class_is_an_assertion():
    with pytest.raises(AssertionError):
        linear.lda(np.zeros([4, 2]), np.ones(4, bool))
