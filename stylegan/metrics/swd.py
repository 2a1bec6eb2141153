"""Sliced Wasserstein distance of two sets of images, scale by scale; it needs no network.

Karras et al. 2017, section 5: patches of each level of the Laplacian pyramid are compared as point
clouds, so a level measures detail of one size.
"""

import numpy as np

from dnnlib import progress

SMALLEST = 16  # pixels of the coarsest level
PATCH = 7  # pixels
_CHUNK = 64  # images at a time
_BINOMIAL = np.float32([1, 4, 6, 4, 1]) / 16


def _smooth(x):
    """Images [n, s, s, 3] through the 5x5 binomial filter, with reflected borders."""
    for axis in (1, 2):
        pads = [(2, 2) if i == axis else (0, 0) for i in range(4)]
        padded, size = np.pad(x, pads, mode='reflect'), x.shape[axis]
        x = sum(weight * padded.take(np.arange(i, i + size), axis)
                for i, weight in enumerate(_BINOMIAL))
    return x


def _enlarged(x):
    """x at twice the side: zeros in between, then smoothed (Burt and Adelson 1983)."""
    n, height, width, channels = x.shape
    spread = np.zeros([n, 2 * height, 2 * width, channels], np.float32)
    spread[:, ::2, ::2] = 4 * x
    return _smooth(spread)


def pyramid(pictures):
    """uint8 [n, s, s, 3] -> Laplacian pyramid, a list of float32 [n, s, s, 3], [n, s/2, ...] ...

    Each level is the detail that the next one lacks; the last is the image at SMALLEST pixels.
    """
    level, levels = pictures.astype(np.float32), []
    while level.shape[1] > SMALLEST:
        smaller = _smooth(level)[:, ::2, ::2]
        levels.append(level - _enlarged(smaller))
        level = smaller
    return levels + [level]


def _patches(level, corners):
    """Patches of images [n, s, s, 3] at corners [n, patches, 2] -> [n, patches, 49, 3]."""
    step = np.arange(PATCH)
    ys = (corners[:, :, 0, np.newaxis] + step)[:, :, :, np.newaxis]
    xs = (corners[:, :, 1, np.newaxis] + step)[:, :, np.newaxis]
    own = np.arange(len(level))[:, np.newaxis, np.newaxis, np.newaxis]
    return level[own, ys, xs].reshape(corners.shape[:2] + (PATCH * PATCH, 3))


def _descriptors(pictures, corners):
    """The patches of each level as a point cloud [147, points], normalised per channel."""
    found = [[] for _ in corners]
    for start in range(0, len(pictures), _CHUNK):
        part = slice(start, start + _CHUNK)
        for level, own, patches in zip(pyramid(pictures[part]), corners, found):
            patches.append(_patches(level, own[part]))
    clouds = []
    for patches in found:
        cloud = np.concatenate(patches)
        cloud -= cloud.mean((0, 1, 2), dtype=np.float64).astype(np.float32)
        spread = np.sqrt(np.square(cloud).mean((0, 1, 2), dtype=np.float64))
        cloud /= np.maximum(spread, 0.01).astype(np.float32)  # without any detail it stays 0
        clouds.append(cloud.reshape(-1, PATCH * PATCH * 3).T)
    return clouds


def sliced(a, b, directions):
    """Mean Wasserstein-1 distance of two point clouds [d, n] along directions [k, d]."""
    a, b = directions @ a, directions @ b
    a.sort(axis=1)
    b.sort(axis=1)
    return float(np.abs(a - b).mean(dtype=np.float64))


def distance(a, b, *, seed, patches=128, directions=128, repeats=4):
    """Sliced Wasserstein distance of two sets, uint8 [n, s, s, 3] each, s a power of two from 16.

    patches: per image and level. directions: random ones, redrawn `repeats` times; both by `seed`.
    The corners of the patches are the same in both sets, so that equal sets give 0.
    Returns a dict of floats: 'swd_64', 'swd_32', ... by the level's side in pixels, and 'swd',
    their mean; all times 1000, as in the paper. Finite samples of one distribution have a positive
    distance, so compare only figures of equal n and patches. Colours are normalised in each set,
    so a tint or contrast of an entire set does not count.
    Memory: 600 bytes per patch, level and image.
    """
    assert a.shape == b.shape and a.dtype == b.dtype == np.uint8, (a.shape, b.shape)
    count, side = a.shape[:2]
    assert a.shape[2:] == (side, 3) and side >= SMALLEST and side & (side - 1) == 0, a.shape
    sides = [side >> i for i in range((side // SMALLEST).bit_length())]
    corners = [np.random.RandomState([seed, own]).randint(0, own - PATCH + 1, [count, patches, 2])
               for own in sides]
    clouds = list(zip(sides, _descriptors(a, corners), _descriptors(b, corners)))
    result = {}
    with progress.bar(total=len(sides) * repeats, what='comparing patches', unit='slice',
                      leave=False) as bar:
        for own, left, right in clouds:
            random, found = np.random.RandomState([seed, own, 1]), []
            for _ in range(repeats):
                slices = random.randn(directions, PATCH * PATCH * 3).astype(np.float32)
                slices /= np.linalg.norm(slices, axis=1, keepdims=True)
                found.append(sliced(left, right, slices))
                bar.update()
            result[f'swd_{own}'] = 1000 * float(np.mean(found))
    result['swd'] = float(np.mean(list(result.values())))
    return result
