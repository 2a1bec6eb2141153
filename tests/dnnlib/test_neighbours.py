"""Neighbours against plain loops."""

import numpy as np
import pytest

from dnnlib import neighbours


def _normal(seed, n, d):
    return np.random.RandomState(seed).randn(n, d)


def test_nearest_against_plain_loops():
    a, b = _normal(16, 300, 4), _normal(17, 50, 4)  # more than a chunk
    indices, found = neighbours.nearest(a, b, 3)
    assert indices.shape == found.shape == (300, 3)
    for point, row, gap in zip(a, indices, found):
        expected = np.array([np.linalg.norm(point - other) for other in b])
        assert row.tolist() == np.argsort(expected)[:3].tolist()
        np.testing.assert_allclose(gap, np.sort(expected)[:3], atol=1e-6)


def test_ties_go_to_the_lower_index():
    indices, found = neighbours.nearest(np.zeros([1, 2]), np.array([[3.0, 4], [0, 1], [1, 0]]), 3)
    assert indices.tolist() == [[1, 2, 0]] and found.tolist() == [[1, 1, 5]]


@pytest.mark.parametrize('count', [30, 700])
def test_mean_distance_of_two_rows(count):
    x = np.random.RandomState(0).randn(count, 4)
    pairs = [np.linalg.norm(a - b) for i, a in enumerate(x) for b in x[:i]]
    assert neighbours.mean_distance(x) == pytest.approx(np.mean(pairs))
    assert neighbours.mean_distance(x[:1]) == 0
    every = -(-count // 10)
    assert neighbours.mean_distance(x, most=10) == pytest.approx(
        neighbours.mean_distance(x[::every]))
