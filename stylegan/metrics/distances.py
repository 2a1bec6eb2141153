"""Distances of two sets of features: Fréchet, kernel, precision and recall.

A set is a float array [n, d], one row per image.
"""

import numpy as np

from dnnlib import neighbours


def _moments(x):
    assert x.ndim == 2 and len(x) > 1, x.shape
    x = np.asarray(x, np.float64)
    return x.mean(0), np.cov(x, rowvar=False).reshape(x.shape[1], x.shape[1])


def _root(matrix):
    """The symmetric square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def frechet(a, b):
    """Fréchet distance (FID, for Inception's features) of a [n, d] and b [m, d], a float >= 0.

    |mean_a - mean_b|^2 + tr(A + B - 2 (A B)^(1/2)) with unbiased covariances A and B (Heusel et
    al. 2017, section 4). It is biased: it decreases with n and m, so compare only equal sizes.
    """
    assert a.shape[1] == b.shape[1], (a.shape, b.shape)
    (mean_a, cov_a), (mean_b, cov_b) = _moments(a), _moments(b)
    root = _root(cov_a)  # root B root is symmetric and has the eigenvalues of A B
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ cov_b @ root), 0)).sum()
    distance = np.square(mean_a - mean_b).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * shared
    return float(max(distance, 0))


def _cubic(a, b):
    return (a @ b.T / a.shape[1] + 1) ** 3


def _mmd(a, b):
    """Unbiased estimate of the squared maximum mean discrepancy of a and b, both [n, d]."""
    n = len(a)
    own = sum(kernel.sum() - np.trace(kernel) for kernel in (_cubic(a, a), _cubic(b, b)))
    return own / (n * (n - 1)) - 2 * _cubic(a, b).mean()


def kernel(a, b, *, seed, blocks=10, block_size=100):
    """Kernel distance (KID) of a [n, d] and b [m, d] -> (mean, standard error), both floats.

    The unbiased squared maximum mean discrepancy with the kernel (x y / d + 1)^3: for equal
    distributions it is 0 on average, so it can be negative (Binkowski et al. 2018, section 4). The
    mean is over `blocks` disjoint blocks of `block_size` rows, drawn by `seed`; being independent,
    they give the standard error.
    """
    assert a.shape[1] == b.shape[1] and min(len(a), len(b)) >= blocks * block_size, (
        a.shape, b.shape, blocks, block_size)
    assert blocks > 1 and block_size > 1, (blocks, block_size)
    rng = np.random.RandomState(seed)
    rows_a, rows_b = [rng.permutation(len(x))[:blocks * block_size].reshape(blocks, block_size)
                      for x in (a, b)]
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    values = np.array([_mmd(a[i], b[j]) for i, j in zip(rows_a, rows_b)])
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(blocks))


def _radii(x, k):
    """Distance of every row to its k-th nearest other row, [n]."""
    radii = np.empty(len(x))
    for start, block in neighbours.chunks(x, x):
        rows = np.arange(len(block))
        block[rows, start + rows] = np.inf
        radii[start:start + len(block)] = np.partition(block, k - 1, axis=1)[:, k - 1]
    return radii


def _covered(x, centres, radii):
    """The fraction of rows of x within the radius of any of `centres`."""
    return float(np.concatenate([
        (block <= radii).any(1) for _, block in neighbours.chunks(x, centres)]).mean())


def precision_recall(real, fake, k=3):
    """Improved precision and recall of real [n, d] and fake [m, d] -> two floats in 0..1.

    Precision is the fraction of fakes that are no farther from some real than its k-th nearest
    other real, recall the same with the roles exchanged (Kynkaanniemi et al. 2019, section 2). Both
    depend on n and m, so compare only equal sizes.
    """
    assert min(len(real), len(fake)) > k, (real.shape, fake.shape, k)
    return (_covered(fake, real, _radii(real, k)), _covered(real, fake, _radii(fake, k)))
