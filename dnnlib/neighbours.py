"""Euclidean distances and nearest neighbours of feature vectors, within bounded memory."""

import numpy as np

_CHUNK = 256  # rows whose distances to all others are held at a time


def distances(a, b):
    """Euclidean distances of a [n, d] to b [m, d] -> [n, m], in the precision of a and b."""
    squared = np.square(a).sum(1)[:, np.newaxis] + np.square(b).sum(1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squared, 0))


def chunks(a, b):
    """`distances` in float64, as pairs of a first row and [rows, m]."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    for start in range(0, len(a), _CHUNK):
        yield start, distances(a[start:start + _CHUNK], b)


def nearest(a, b, count):
    """The `count` rows of b [m, d] nearest to each row of a [n, d], nearest first.

    Returns indices, int [n, count], and distances, float64 [n, count]. Ties go to the lower index.
    """
    assert 0 < count <= len(b), (count, b.shape)
    indices, found = [], []
    for _, block in chunks(a, b):
        order = np.argsort(block, axis=1, kind='stable')[:, :count]
        indices.append(order)
        found.append(np.take_along_axis(block, order, 1))
    return np.concatenate(indices), np.concatenate(found)


def mean_distance(features, most=1000):
    """The mean distance of two different rows of features [n, d]: their diversity.

    Of more than `most` rows, evenly spaced ones are taken. 0.0 of a single row.
    """
    x = features[::-(-len(features) // most)]
    if len(x) < 2:
        return 0.0
    total = sum(block.sum() - np.diagonal(block, start).sum() for start, block in chunks(x, x))
    return float(total / (len(x) * (len(x) - 1)))
