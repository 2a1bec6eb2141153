"""The figures of the StyleGAN paper for any generator: grid, truncation, style mixing, walks.

Each takes a stylegan.generator.Generator and returns uint8 images; nothing is written here. Seeds
are those of `Generator.seeded`; `seed` is the first of several.
"""

import itertools

import numpy as np

from dnnlib import images
from stylegan import latent

GAP = 2  # white pixels between images
_TOGETHER = 5  # frames of three images that are drawn at once: a full minibatch is faster


def _sheet(pictures, columns, side):
    """A grid of images, scaled up to `side` px unless they are larger."""
    if pictures.shape[1] < side:
        pictures = np.stack([images.square(picture, side) for picture in pictures])
    sheet = images.grid(pictures, columns, GAP)
    height, width, _ = sheet.shape
    return np.pad(sheet, [[0, height % 2], [0, width % 2], [0, 0]], 'constant',
                  constant_values=255)  # H.264 requires even sides


def fitting(resolution, screen='4k'):
    """(columns, rows) of images that fill a screen: at least 7 x 4 (3 x 2), at most 32 each."""
    size, least = {'4k': ((3840, 2160), (7, 4)), '1080p': ((1920, 1080), (3, 2))}[screen]
    return tuple(min(max(side // resolution, few), 32) for side, few in zip(size, least))


def _styles(generator, seeds, psi):
    return generator.truncate(generator.w(generator.seeded(seeds)), psi)


def grid(generator, seeds, *, psi, columns=8, side=128):
    """One image per seed, row by row."""
    return _sheet(generator.pictures(_styles(generator, seeds, psi)), columns, side)


def truncation(generator, seeds, *, psis=(1, 0.7, 0.5, 0.25, 0, -0.5, -1), side=128):
    """A row per seed, a column per psi: from untruncated through the average to the opposite.

    All layers are truncated (Karras et al. 2018, figure 8).
    """
    w = generator.w(generator.seeded(seeds))
    ws = [generator.truncate(own[np.newaxis], psi, generator.layers) for own in w for psi in psis]
    return _sheet(generator.pictures(np.concatenate(ws)), len(psis), side)


def mixing(generator, seed, *, psi, columns=6, rows=('coarse', 'coarse', 'middle', 'middle',
                                                     'fine', 'fine'), side=128):
    """Style mixing (Karras et al. 2018, figure 3).

    Each image takes the band of its row from the source at the top of its column, and the other
    styles from the target at the left. The sources have the first seeds, the targets the next.
    """
    bands = latent.bands(generator.layers)
    sources = _styles(generator, range(seed, seed + columns), psi)
    targets = _styles(generator, range(seed + columns, seed + columns + len(rows)), psi)
    corner = np.full([1, generator.res, generator.res, 3], 255, np.uint8)
    lines = [corner, generator.pictures(sources)]
    for band, target in zip(rows, targets):
        same = np.repeat(target[np.newaxis], columns, 0)
        mixed = latent.mixed(same, sources, bands[band])
        lines.append(generator.pictures(np.concatenate([target[np.newaxis], mixed])))
    return _sheet(np.concatenate(lines), columns + 1, side)


def walk(generator, seed, *, psi, stops=6, frames=40, columns=4, rows=3, side=128):
    """Frames of closed latent walks, one per panel, each through its own `stops` images."""
    paths = [latent.closed_walk(generator.seeded(range(first, first + stops)), frames)
             for first in range(seed, seed + stops * columns * rows, stops)]
    for zs in zip(*paths):
        ws = generator.truncate(generator.w(np.stack(zs)), psi)
        yield _sheet(generator.pictures(ws), columns, side)


def mixing_walk(generator, seed, *, psi, stops=6, frames=40, side=256):
    """Frames of the post's style-mixing video: source, target and result, both inputs walking.

    The result has the coarse styles of the target and the others of the source; see `three_panels`.
    """
    layers = range(latent.bands(generator.layers)['middle'][0], generator.layers)
    paths = [latent.closed_walk(generator.seeded(range(first, first + stops)), frames)
             for first in (seed, seed + stops)]
    pairs = (generator.truncate(generator.w(np.stack(pair)), psi) for pair in zip(*paths))
    return three_panels(generator, ((pair[0], pair[1], 1) for pair in pairs), layers, side=side)


def three_panels(generator, triples, band, *, side=256):
    """Frames: source at the upper right, target at the lower left, the result at the lower right.

    triples: iterable of (source [layers, w], target [layers, w], weight): in the layers of `band`
             the result interpolates from target (0) to source (1) by the weight, elsewhere it has
             the target's styles.
    """
    corner = np.full([1, generator.res, generator.res, 3], 255, np.uint8)

    def styles(source, target, weight):
        moved = source if weight == 1 else target + (source - target) * np.float32(weight)
        return [source, target, latent.mixed(target[np.newaxis], moved[np.newaxis], band)[0]]
    frames = itertools.starmap(styles, triples)
    for some in iter(lambda: list(itertools.islice(frames, _TOGETHER)), []):
        for pictures in np.split(generator.pictures(np.concatenate(some)), len(some)):
            yield _sheet(np.concatenate([corner, pictures]), 2, side)


def mixes(generator, sources, targets, band, *, side=128):
    """Sources [m, layers, w] at the top, targets [n, layers, w] at the left, and all mixes."""
    lines = [np.full([1, generator.res, generator.res, 3], 255, np.uint8),
             generator.pictures(sources)]
    for target in targets:
        mixed = latent.mixed(np.repeat(target[np.newaxis], len(sources), 0), sources, band)
        lines.append(generator.pictures(np.concatenate([target[np.newaxis], mixed])))
    return _sheet(np.concatenate(lines), len(sources) + 1, side)


def sweep(generator, ws, vector, amounts, band, *, side=128):
    """A row for each of ws [n, layers, w], moved along vector [w] by every amount, in a band."""
    rows = [latent.moved(np.repeat(own[np.newaxis], len(amounts), 0), vector, amounts, band)
            for own in ws]
    return _sheet(generator.pictures(np.concatenate(rows)), len(amounts), side)


def strips(rows, *, side=128):
    """Images [m, n, h, w, 3], or m lists of n, as a grid of m rows."""
    return _sheet(np.concatenate(rows), len(rows[0]), side)


def framed(picture, side):
    """uint8 [h, w, 3] as a video frame: scaled up to `side` px unless larger, sides even."""
    return _sheet(picture[np.newaxis], 1, side)
