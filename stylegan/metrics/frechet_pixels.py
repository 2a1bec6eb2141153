"""Fréchet distance in the principal components of the pixels: does training converge?

It needs no network and takes seconds, so training reports it at every tick. Images are projected on
the first 64 principal components of the training set at one resolution; the figure is the Fréchet
distance there (Heusel et al. 2017) divided by the variance of the training set. `detail` is the
variance outside of the components divided by that of real images to which the components were not
fitted: 1 is as much fine detail as in these, more is false detail, less is blur.
"""

import collections
import hashlib

import numpy as np

from dnnlib import archive, progress
from stylegan.metrics.distances import frechet

COMPONENTS = 64
REALS, OTHERS = 4000, 1000  # images to fit the components to, at most half; images to measure
LARGEST = 128  # px; larger images are compared at this resolution
FEWEST = 16  # images in a training set
_CHUNK = 64  # images held at a time
_OVERSAMPLING, _ITERATIONS = 16, 6
_LEAST = 1e-9  # variance of a training set, against division by zero


def _flat(pictures, res):
    """uint8 [n, s, s, 3] -> float32 [n, 3 res^2] in [-1, 1], averaged where s is larger."""
    n, side = pictures.shape[:2]
    factor = side // res
    if factor > 1:
        pictures = pictures.reshape(n, res, factor, res, factor, 3).mean((2, 4))
    return pictures.reshape(n, -1).astype(np.float32) * np.float32(1 / 127.5) - 1


def principal_components(chunks, count):
    """The mean [d] and the first `count` principal axes [d, count] of rows, both float32.

    chunks: function () -> iterable of float32 [n, d], called several times. Randomised subspace
    iteration (Halko et al. 2011, algorithm 4.4).
    """
    total, rows = 0, 0
    for x in chunks():
        total, rows = total + x.sum(0, dtype=np.float64), rows + len(x)
    mean = np.float32(total / rows)
    size = min(count + _OVERSAMPLING, len(mean))
    basis = np.random.RandomState(0).randn(len(mean), size).astype(np.float32)
    for _ in range(_ITERATIONS):
        basis = np.linalg.qr(sum((x - mean).T @ ((x - mean) @ basis) for x in chunks()))[0]
    features = np.concatenate([(x - mean) @ basis for x in chunks()]).astype(np.float64)
    axes = np.linalg.eigh(features.T @ features)[1][:, ::-1][:, :count]
    return mean, np.float32(basis @ axes)


# The training set at one resolution, as the reference. res: px; mean [d] and basis
# [d, components], float32; features: projections of the fitted images, float64 [n, components];
# count: of the other real images; outside: their mean squared distance from the components; floor:
# their frechet_pixels, which as many images of a perfect generator would have.
Reference = collections.namedtuple('Reference', 'res mean basis features outside count floor')


def _project(chunks, res, mean, basis):
    """uint8 [n, s, s, 3] in chunks -> (features [n, components], mean square outside of them)."""
    features, squares = [], 0.0
    for pictures in chunks:
        x = _flat(pictures, res) - mean
        features.append((x @ basis).astype(np.float64))
        squares += np.square(x).sum(dtype=np.float64)
    features = np.concatenate(features)
    return features, (squares - np.square(features).sum()) / len(features)


def _distance(features, real):
    return frechet(features, real) / max(real.var(0, ddof=1).sum(), _LEAST)


def measure(reference, chunks):
    """Images uint8 [n, s, s, 3] in chunks, `count` of the reference -> (frechet_pixels, detail).

    Compare only figures of equal n, since the distance decreases with it.
    """
    features, outside = _project(chunks, *reference[:3])
    return (_distance(features, reference.features),
            float(outside / max(reference.outside, _LEAST)))


def _others_in(count, most):
    """How many of `count` real images, at most `most`, are left over to measure the floor with."""
    return min(most, count - min(REALS, count // 2))


def _reals(records, res, mirror, most):
    """(chunks of the fitted images, chunks of the others), both functions () -> iterable.

    The first epoch of the stream is a random order, so these are random halves of a small set.
    """
    half = min(REALS, records.count // 2)
    last = half + _others_in(records.count, most)

    def chunks(first, end):
        for start in progress.bar(range(first, end, _CHUNK), what='principal components',
                                  unit='batch', leave=False, delay=2):
            yield records.batch(start, min(_CHUNK, end - start), res, mirror=mirror)
    return lambda: chunks(0, half), lambda: chunks(half, last)


def fit(records, res, mirror=False, most=OTHERS):
    """The Reference of stylegan.dataset.Records at `res` px.

    mirror: flip images left-right at random, as the training does. most: other images, which is
    its `count` unless there are fewer.
    """
    fitted, others = _reals(records, res, mirror, most)
    count = min(COMPONENTS, min(REALS, records.count // 2) // 2, 3 * res * res // 2)
    mean, basis = principal_components(
        lambda: (_flat(pictures, res) for pictures in fitted()), count)
    features, _ = _project(fitted(), res, mean, basis)
    other, outside = _project(others(), res, mean, basis)  # nearer to the components if fitted
    return Reference(res, mean, basis, features, outside, len(other), _distance(other, features))


def cached(folder, records, res, mirror=False, most=OTHERS):
    """The Reference of `fit` at `res` px, at most LARGEST, cached in a run folder.

    None for a training set of fewer than FEWEST images.
    """
    if records.count < FEWEST:
        return None
    res = min(res, LARGEST)
    content = hashlib.sha256()
    for chunks in _reals(records, res, mirror, most):
        for pictures in chunks():
            content.update(pictures.tobytes())
    path, about = folder / f'frechet-pixels-{res}.npz', {
        'pictures': content.hexdigest(), 'count': _others_in(records.count, most),
        'outside': 'of the others'}
    if path.exists():
        with archive.reading(path, 'file of principal components', 'delete it') as arrays:
            if archive.about(arrays) == about:
                return Reference(**arrays)._replace(
                    res=res, count=int(arrays['count']), floor=float(arrays['floor']),
                    outside=float(arrays['outside']))
    reference = fit(records, res, mirror, most)
    arrays = dict(reference._asdict(), res=np.int64(res), count=np.int64(reference.count))
    archive.write(path, arrays, about, packed=False)
    return reference
