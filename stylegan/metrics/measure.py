"""How good generated images are: each figure beside its floor, the figure of real images.

The real images are halved. Fakes are compared with one half, and so is the other half, at equal
sizes: the floor is what a perfect generator would reach.
"""

import dataclasses

import numpy as np

from dnnlib import images, knobs, neighbours, progress
from dnnlib.files import UserError
from dnnlib.knobs import knob
from stylegan.metrics import distances, swd

FEWEST = 20  # images on each side of a comparison
THUMBNAIL = 32  # pixels
NEAREST = 3  # k of precision and recall
_CHUNK = 64  # real images held at a time
_BLOCKS, _BLOCK = 10, 1000  # of the kernel distance: how many, and the most images in one


@dataclasses.dataclass(frozen=True)
class Metrics:
    """Options of the metrics."""
    count: int = knob(2000, 'photos to use: half are compared with as many fakes, half give the '
                      'floor', least=2 * FEWEST)
    features: str = knob('swd', 'swd: only the sliced Wasserstein distance, which needs no '
                         'network; tagger, inception: Frechet and kernel distances, precision and '
                         'recall as well, in the features of this network',
                         choices=('swd', 'tagger', 'inception'))
    path_length: int = knob(0, 'random paths for the perceptual path length; 0: skip it',
                            least=0)
    psi: float = knob(1.0, 'truncation; 1: none')
    noise: float = knob(1.0, 'strength of the noise inputs; 1: as trained')
    mirror: bool = knob(True, 'flip half of the photos, as training does')
    seed: int = knobs.seed_knob()
    threads: int = knob(0, 'CPU threads; 0 takes all', least=0)

    def __post_init__(self):
        knobs.check(self)


def thumbnails(pictures):
    """uint8 [n, s, s, 3], s a power of two -> float32 [n, d] in 0..1, at THUMBNAIL pixels."""
    n, side = pictures.shape[:2]
    factor = max(1, side // THUMBNAIL)
    cells = pictures.reshape(n, side // factor, factor, side // factor, factor, 3)
    return cells.mean((2, 4), dtype=np.float32).reshape(n, -1) / 255


def _compare(reals, others, real_features, other_features, seed):
    """All figures of `others` against `reals`; the features may be None."""
    figures = swd.distance(reals, others, seed=seed)
    if real_features is not None:
        figures['frechet'] = distances.frechet(real_features, other_features)
        figures['kernel'], figures['kernel_error'] = distances.kernel(
            real_features, other_features, seed=seed, blocks=_BLOCKS,
            block_size=min(_BLOCK, len(reals) // _BLOCKS))
        figures['precision'], figures['recall'] = distances.precision_recall(
            real_features, other_features, NEAREST)
    return figures


def halves(reals, count, seed):
    """Two disjoint random sets of `count` reals: to compare with, and for the floor."""
    order = np.random.RandomState(seed).permutation(len(reals))
    return reals[order[:count]], reals[order[count:2 * count]]


def measure(reals, fakes, *, seed, features=None):
    """The figures of fakes, uint8 [m, s, s, 3], against reals, uint8 [n, s, s, 3].

    N = min(n // 2, m) fakes and, for the floor, N other reals are compared with N reals, by
    `halves`. s: a power of two.
    features: function uint8 [n, s, s, 3] -> [n, d], such as inception.Inception or the `features`
              of a tagger, for the Fréchet and kernel distances, precision and recall; None: only
              the sliced Wasserstein distance.
    Returns {'n': N, 'size': s, 'seed': seed, 'figures': {name: {'value': ..., 'floor': ...}}}. All
    but the kernel distance depend on N. Raises UserError for too few or too small images.
    """
    assert reals.shape[1:] == fakes.shape[1:], (reals.shape, fakes.shape)
    n, size = min(len(reals) // 2, len(fakes)), reals.shape[1]
    if n < FEWEST:
        raise UserError(f'{len(reals)} real and {len(fakes)} generated images are too few to '
                        f'measure; give at least {2 * FEWEST} and {FEWEST}')
    if size < swd.SMALLEST:
        raise UserError(f'images of {size} px are too small to measure; the least is '
                        f'{swd.SMALLEST} px')
    compared, others = halves(reals, n, seed)
    sets = compared, fakes[:n], others
    known = [features(pictures) if features else None for pictures in sets]
    value, floor = [_compare(sets[0], sets[i], known[0], known[i], seed) for i in (1, 2)]
    return {'n': n, 'size': size, 'seed': seed, 'figures': {
        name: {'value': value[name], 'floor': floor[name]} for name in value}}


def report(result):
    """The result of `measure` as a text table; a dash: no floor."""
    n = result['n']
    lines = [f"{n} generated images of {result['size']} px against {n} real ones; floor: {n} "
             'other real ones against the same',
             'lower is better, except for precision, recall and agreement; detail is best at 1', '',
             f"{'figure':20} {'value':>10} {'floor':>10}"]
    for name, figure in result['figures'].items():
        floor = f"{figure['floor']:.4g}" if 'floor' in figure else '-'
        lines.append(f"{name:20} {figure['value']:>10.4g} {floor:>10}")
    return '\n'.join(lines)


def _nearest_flipped(features, known, count):
    """Nearest of `known` to images or their mirror images, without duplicates.

    features: of n images, then of their mirror images.
    Returns indices, int [n, count], and distances, float64 [n, count].
    """
    indices, found = neighbours.nearest(features, known, count)
    n = len(features) // 2
    indices, found = [np.concatenate([rows[:n], rows[n:]], 1) for rows in (indices, found)]
    order = np.argsort(found, axis=1, kind='stable')
    indices, found = [np.take_along_axis(rows, order, 1) for rows in (indices, found)]
    firsts = np.stack([np.sort(np.unique(row, return_index=True)[1])[:count] for row in indices])
    return np.take_along_axis(indices, firsts, 1), np.take_along_axis(found, firsts, 1)


def _with_flips(pictures, features):
    return features(np.concatenate([pictures, pictures[:, :, ::-1]]))


def _usual_distance(photos, known, features):
    """The median distance of real images to the nearest other one; 1 for a single one."""
    total = len(known)
    some = np.linspace(0, total - 1, min(total, _CHUNK)).astype(int)
    pictures = np.concatenate([photos[index:index + 1] for index in some])
    indices, found = _nearest_flipped(
        _with_flips(pictures, features), known, min(2, total))
    others = [row[nearest != own][:1] for own, nearest, row in zip(some, indices, found)]
    return float(np.median(np.concatenate(others))) if total > 1 else 1.0


def nearest(fakes, photos, *, features=None, count=5):
    """The real images nearest to each fake, to detect copies.

    Fakes are also compared flipped, since training may have flipped a photo.
    fakes:    uint8 [n, s, s, 3], s a power of two.
    photos:   real images, uint8 [m, s, s, 3], or `Records.sequence`, read in chunks.
    features: function uint8 [n, s, s, 3] -> [n, d]; None: the pixels of thumbnails.
    Returns indices, int [n, count], nearest first (fewer if there are fewer), and distances,
    float64 [n, count], relative to the median distance of real images to the nearest other one.
    """
    features = features or thumbnails
    known = np.concatenate([features(photos[first:first + _CHUNK])
                            for first in progress.bar(range(0, len(photos), _CHUNK), leave=False,
                                                      what='nearest photos', unit='batch')])
    indices, found = _nearest_flipped(_with_flips(fakes, features), known,
                                         min(count, len(photos)))
    usual = _usual_distance(photos, known, features)
    return indices, found / max(usual, np.finfo(np.float32).tiny)


def neighbour_sheet(fakes, photos, *, features=None, count=5):
    """A sheet with a row per fake: it, then the nearest real images.

    Arguments as for `nearest`. Returns uint8 [height, width, 3].
    """
    rows, _ = nearest(fakes, photos, features=features, count=count)
    shown = [np.concatenate([fake[np.newaxis]] + [photos[index:index + 1] for index in row])
             for fake, row in zip(fakes, rows)]
    return images.grid(np.concatenate(shown), len(shown[0]), 2)
