"""Distances of feature sets against closed forms, plain loops and sets made for the purpose."""

import numpy as np
import pytest

from stylegan.metrics import distances


def _normal(seed, n, d, mean=0.0, scale=1.0):
    return np.random.RandomState(seed).randn(n, d) * scale + mean


def _exactly(seed, n, mean, covariance):
    """A sample whose own mean and unbiased covariance are those given."""
    x = _normal(seed, n, len(mean))
    x -= x.mean(0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T
    return x @ np.linalg.cholesky(np.asarray(covariance)).T + mean


def test_frechet_of_gaussians_along_the_axes():
    a = _exactly(0, 50, [0, 0, 0], np.diag([1.0, 4.0, 9.0]))
    b = _exactly(1, 70, [1, 0, 2], np.diag([4.0, 4.0, 1.0]))
    expected = 1 + 4 + (1 - 2) ** 2 + 0 + (3 - 1) ** 2  # means, then standard deviations
    assert distances.frechet(a, b) == pytest.approx(expected, abs=1e-9)


def test_frechet_of_rotated_gaussians():
    one, two = np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([[3.0, 0.0], [0.0, 1.0]])
    # The eigenvalues of their product have the sum 8 and the product 9.
    expected = 4 + 4 - 2 * np.sqrt(8 + 2 * np.sqrt(9))
    value = distances.frechet(_exactly(2, 40, [5, 5], one), _exactly(3, 40, [5, 5], two))
    assert value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize('n, m, d', [(30, 20, 5), (6, 9, 20), (5, 5, 1)])
def test_frechet_against_singular_values(n, m, d):
    """The trace of (A B)^(1/2) is the sum of the singular values of the centred sets' product."""
    a, b = _normal(4, n, d, scale=3), _normal(5, m, d, 1)
    shared = np.linalg.svd((a - a.mean(0)) @ (b - b.mean(0)).T, compute_uv=False).sum()
    expected = (np.square(a.mean(0) - b.mean(0)).sum() + a.var(0, ddof=1).sum()
                + b.var(0, ddof=1).sum() - 2 * shared / np.sqrt((n - 1) * (m - 1)))
    assert distances.frechet(a, b) == pytest.approx(expected, abs=1e-5)
    assert distances.frechet(b, a) == pytest.approx(distances.frechet(a, b), abs=1e-5)
    assert 0 <= distances.frechet(a, a) < 1e-5


def test_kernel_against_moments():
    """In one dimension (x y + 1)^3 compares moments: 3 of m1, 3 of m2 and 1 of m3, squared."""
    a, b = _normal(6, 6000, 1), _normal(7, 6000, 1, 1.0)  # moments 0, 1, 0 and 1, 2, 4
    mean, error = distances.kernel(a, b, seed=0, blocks=20, block_size=300)
    assert 0 < error < 2 and abs(mean - (3 * 1 + 3 * 1 + 16)) < 4 * error
    same, error = distances.kernel(a, a[::-1] * -1, seed=0, blocks=20, block_size=300)
    assert abs(same) < 4 * error


def _mmd_by_loops(a, b):
    def value(x, y):
        return (sum(p * q for p, q in zip(x, y)) / len(x) + 1) ** 3
    n, total = len(a), 0.0
    for i in range(n):
        for j in range(n):
            total -= 2 * value(a[i], b[j]) / n ** 2
            if i != j:
                total += (value(a[i], a[j]) + value(b[i], b[j])) / (n * (n - 1))
    return total


def test_kernel_against_plain_loops():
    """A block's estimate is unbiased, so over many draws it is that of the whole set."""
    a, b = _normal(8, 6, 2), _normal(9, 6, 2, 0.5)
    values = [distances.kernel(a, b, seed=seed, blocks=2, block_size=3)[0]
              for seed in range(2000)]
    everything = [_mmd_by_loops(a[i], b[j]) for i in _triples(6) for j in _triples(6)]
    spread = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values) - np.mean(everything)) < 4 * spread
    assert min(everything) - 1e-9 < min(values) and max(values) < max(everything) + 1e-9


def _triples(n):
    return [[i, j, k] for i in range(n) for j in range(i) for k in range(j)]


def test_kernel_error_is_the_spread_of_repeated_measurements():
    found = [distances.kernel(_normal([1, i], 400, 4), _normal([2, i], 400, 4, 0.3), seed=i,
                              blocks=10, block_size=40) for i in range(80)]
    means, errors = np.array(found).T
    assert 0.75 < means.std() / errors.mean() < 1.33


def test_kernel_is_seeded():
    a, b = _normal(10, 60, 3), _normal(11, 60, 3)
    values = [distances.kernel(a, b, seed=seed, blocks=2, block_size=10) for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]
    with pytest.raises(AssertionError):
        distances.kernel(a, b, seed=0, blocks=7, block_size=10)  # 70 of 60 rows


def _share_covered(x, centres, k):
    """Share of x that lies as near to a centre as that one's k-th neighbour does."""
    covered = 0
    for point in x:
        hit = False
        for i, centre in enumerate(centres):
            others = sorted(np.linalg.norm(centre - other)
                            for j, other in enumerate(centres) if j != i)
            hit = hit or np.linalg.norm(point - centre) <= others[k - 1]
        covered += hit
    return covered / len(x)


@pytest.mark.parametrize('k', [1, 3])
def test_precision_and_recall_against_plain_loops(k):
    real, fake = _normal(12, 30, 3), _normal(13, 25, 3, 0.8, 0.7)
    precision, recall = distances.precision_recall(real, fake, k)
    assert precision == _share_covered(fake, real, k)
    assert recall == _share_covered(real, fake, k)
    assert 0 < precision < 1 and 0 < recall < 1 and precision != recall


def test_precision_and_recall_detect_wrong_and_missing_modes():
    one, other = _normal(14, 300, 2), _normal(15, 300, 2, 100.0)  # more than a chunk together
    both = np.concatenate([one, other])
    assert distances.precision_recall(both, one) == (1, 0.5)
    assert distances.precision_recall(one, both) == (0.5, 1)
    assert distances.precision_recall(one, other) == (0, 0)
