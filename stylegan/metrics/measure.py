"""How good generated pictures are: every figure beside the one that real pictures reach.

Real pictures are halved. What the fakes are compared with is one half; the figure of the other half
against the same, at the same number of pictures, is the floor that a perfect generator would reach.
"""

import dataclasses

import numpy as np

from dnnlib import images, progress
from dnnlib.files import UserError
from dnnlib.knobs import knob
from stylegan.metrics import distances, swd

FEWEST = 20  # pictures on each side of a comparison
THUMBNAIL = 32  # pixels
_CHUNK = 64  # real pictures looked at a time
_BLOCKS, _BLOCK = 10, 1000  # of the kernel distance: how many, and of how many pictures at most


@dataclasses.dataclass(frozen=True)
class Metrics:
    """What is measured, and how."""
    count: int = knob(2000, 'photos to use: half are compared with as many fakes, half give the '
                      'floor')
    features: str = knob('swd', 'swd: patches, no network needed; inception: Frechet and kernel '
                         'distances, precision and recall as well')
    path_length: int = knob(0, 'random paths for the perceptual path length; 0: do not measure it')
    psi: float = knob(1.0, 'truncation; 1: none')
    noise: float = knob(1.0, 'strength of the noise inputs; 1: as trained')
    mirror: bool = knob(True, 'flip half of the photos, as training does')
    seed: int = knob(0, 'first seed')
    threads: int = knob(0, 'CPU threads; 0 takes all')

    def __post_init__(self):
        if self.features not in ('swd', 'inception'):
            raise UserError(f"features is '{self.features}'; it must be swd or inception")
        if self.count < 2 * FEWEST or self.path_length < 0:
            raise UserError('--count is at least %d and --path-length not below 0' % (2 * FEWEST))


def thumbnails(pictures):
    """uint8 [n, s, s, 3], s a power of two -> float32 [n, d]: all of THUMBNAIL pixels, in 0..1."""
    n, side = pictures.shape[:2]
    factor = max(1, side // THUMBNAIL)
    cells = pictures.reshape(n, side // factor, factor, side // factor, factor, 3)
    return cells.mean((2, 4), dtype=np.float32).reshape(n, -1) / 255


def _compare(reals, others, seen_reals, seen_others, seed):
    """All figures of `others` against `reals`; `seen_`: their features, or None."""
    figures = swd.distance(reals, others, seed=seed)
    if seen_reals is not None:
        figures['frechet'] = distances.frechet(seen_reals, seen_others)
        figures['kernel'], figures['kernel_error'] = distances.kernel(
            seen_reals, seen_others, seed=seed, blocks=_BLOCKS,
            block_size=min(_BLOCK, len(reals) // _BLOCKS))
        figures['precision'], figures['recall'] = distances.precision_recall(
            seen_reals, seen_others)
    return figures


def measure(reals, fakes, *, seed, features=None):
    """The figures of fakes, uint8 [m, s, s, 3], as pictures of the kind of reals [n, s, s, 3].

    N = min(n // 2, m) fakes are compared with N reals, and for the floor N other reals with the
    same ones; which, is drawn by `seed`. s: a power of two.
    features: function uint8 [n, s, s, 3] -> [n, d], such as stylegan.inception.Inception, for the
              Frechet and kernel distances, precision and recall; without one there is only the
              sliced Wasserstein distance.
    Returns {'n': N, 'size': s, 'seed': seed, 'figures': {name: {'value': ..., 'floor': ...}}}. All
    but the kernel distance depend on N. Raises UserError for too few or too small pictures.
    """
    assert reals.shape[1:] == fakes.shape[1:], (reals.shape, fakes.shape)
    n, size = min(len(reals) // 2, len(fakes)), reals.shape[1]
    if n < FEWEST:
        raise UserError('%d real and %d generated pictures are too few to measure; give %d and %d '
                        'at least' % (len(reals), len(fakes), 2 * FEWEST, FEWEST))
    if size < swd.SMALLEST:
        raise UserError('pictures of %d px are too small to measure; train on to %d px' % (
            size, swd.SMALLEST))
    order = np.random.RandomState(seed).permutation(len(reals))
    sets = reals[order[:n]], fakes[:n], reals[order[n:2 * n]]
    seen = [features(pictures) if features else None for pictures in sets]
    value, floor = [_compare(sets[0], sets[i], seen[0], seen[i], seed) for i in (1, 2)]
    return {'n': n, 'size': size, 'seed': seed, 'figures': {
        name: {'value': value[name], 'floor': floor[name]} for name in value}}


def report(result):
    """The result of `measure` as a text table; a figure without a floor has a dash there."""
    n = result['n']
    lines = ['%d generated pictures of %d px against %d real ones; floor: %d other real ones '
             'against the same' % (n, result['size'], n, n),
             'less is better, except for precision and recall', '',
             '%-20s %10s %10s' % ('figure', 'value', 'floor')]
    for name, figure in result['figures'].items():
        floor = f"{figure['floor']:.4g}" if 'floor' in figure else '-'
        lines.append('%-20s %10s %10s' % (name, '%.4g' % figure['value'], floor))
    return '\n'.join(lines)


def _nearest_either_way(seen, known, count):
    """Nearest of `known` to pictures or their mirror images, nearest first, each once.

    seen: features of n pictures, then those of their mirror images.
    Returns indices, int [n, count], and distances, float64 [n, count].
    """
    indices, gaps = distances.nearest(seen, known, count)
    n = len(seen) // 2
    indices, gaps = [np.concatenate([rows[:n], rows[n:]], 1) for rows in (indices, gaps)]
    order = np.argsort(gaps, axis=1, kind='stable')
    indices, gaps = [np.take_along_axis(rows, order, 1) for rows in (indices, gaps)]
    firsts = np.stack([np.sort(np.unique(row, return_index=True)[1])[:count] for row in indices])
    return np.take_along_axis(indices, firsts, 1), np.take_along_axis(gaps, firsts, 1)


def _both_ways(pictures, describe):
    return describe(np.concatenate([pictures, pictures[:, :, ::-1]]))


def _usual_gap(photos, known, describe):
    """The median distance of real pictures to the nearest other one; 1 where there is none."""
    total = len(known)
    some = np.linspace(0, total - 1, min(total, _CHUNK)).astype(int)
    seen = _both_ways(np.concatenate([photos[index:index + 1] for index in some]), describe)
    indices, gaps = _nearest_either_way(seen, known, min(2, total))
    others = [gap[row != own][:1] for own, row, gap in zip(some, indices, gaps)]
    return float(np.median(np.concatenate(others))) if total > 1 else 1.0


def nearest(fakes, photos, *, features=None, count=5):
    """The real pictures nearest to each fake: whether it is a copy.

    A real picture that looks like a fake's mirror image counts as near, since training may have
    mirrored it.
    fakes:    uint8 [n, s, s, 3], s a power of two.
    photos:   real pictures, uint8 [m, s, s, 3], or `Records.sequence`: all are looked at, but few
              are held at a time.
    features: function uint8 [n, s, s, 3] -> [n, d]; without one, pixels of thumbnails decide.
    Returns indices, int [n, count], nearest first (fewer if there are fewer), and distances,
    float64 [n, count], in units of the usual one: the median of real pictures to the nearest
    other real one.
    """
    describe = features or thumbnails
    known = np.concatenate([describe(photos[first:first + _CHUNK])
                            for first in progress.bar(range(0, len(photos), _CHUNK), leave=False,
                                                      what='looking for copies', unit='batch')])
    indices, gaps = _nearest_either_way(_both_ways(fakes, describe), known,
                                        min(count, len(photos)))
    return indices, gaps / max(_usual_gap(photos, known, describe), np.finfo(np.float32).tiny)


def neighbours(fakes, photos, *, features=None, count=5):
    """A sheet with a row for each fake: it, then the real pictures nearest to it, nearest first.

    Arguments as for `nearest`. Returns uint8 [height, width, 3].
    """
    rows, _ = nearest(fakes, photos, features=features, count=count)
    shown = [np.concatenate([fake[np.newaxis]] + [photos[index:index + 1] for index in row])
             for fake, row in zip(fakes, rows)]
    return images.grid(np.concatenate(shown), len(shown[0]), 2)
