"""Perceptual path length: how much the picture changes for the least step through latent space.

Karras et al. 2018, section 4.1. The whole picture counts, since a product fills it: the paper's
crop is made for faces.
"""

import numpy as np

from dnnlib import progress
from stylegan import latent

LARGEST = 256  # pixels; larger pictures are averaged down to it, as in the paper
BATCH = 8  # paths at a time, two pictures each


def pixels(pictures):
    """Pictures [n, h, w, 3] in 0..255 as features [n, d] that need no network.

    The squared distance of two is the mean squared difference of their pixels on a scale of 0..1.
    """
    flat = np.reshape(pictures, [len(pictures), -1]).astype(np.float64)
    return flat / (255 * np.sqrt(flat.shape[1]))


def _viewed(pictures):
    """float32 [n, s, s, 3] in [-1, 1] -> 0..255, unrounded, of LARGEST pixels at most."""
    assert pictures.dtype == np.float32, f'{pictures.dtype} would round the step away'
    n, side, _, channels = pictures.shape
    factor = max(1, side // LARGEST)
    small = pictures.reshape(n, side // factor, factor, side // factor, factor, channels)
    return (small.mean((2, 4)) + 1) * np.float32(127.5)


def trimmed_mean(values):
    """Mean of what lies between the 1st and the 99th percentile, both rounded outwards."""
    ordered, last = np.sort(values), len(values) - 1
    low, high = ordered[last // 100], ordered[-(-99 * last // 100)]
    return float(ordered[(ordered >= low) & (ordered <= high)].mean())


def path_length(styles, synthesise, features, *, latent_size, count, seed, space='w', ends=False,
                epsilon=1e-4):
    """Mean over `count` random paths of |features(t) - features(t + epsilon)|^2 / epsilon^2.

    styles:     function z, float32 [n, latent_size] -> w [n, latent] or ws [n, layers, latent].
    synthesise: function of those -> pictures, float32 [n, s, s, 3] in [-1, 1], with fixed noise;
                s a power of two. Rounded pictures would hide a step as small as epsilon.
    features:   function pictures, float32 [n, h, w, 3] in 0..255 -> [n, d], such as `pixels`.
    space:      'w', straight between two w, or 'z', on the great circle between two z.
    ends:       t is 0, not uniform in 0..1.
    The paper's features are those of LPIPS; figures of other features do not compare with its.
    Beyond the 1st and 99th percentile paths are left out.
    """
    assert space in ('w', 'z') and count > 0, (space, count)
    random, found = np.random.RandomState(seed), []
    for start in progress.bar(range(0, count, BATCH), what='path length', unit='batch',
                              leave=False):
        n = min(BATCH, count - start)
        first, second = random.randn(2, n, latent_size)
        t = np.zeros(n) if ends else random.rand(n)
        t = np.stack([t, t + epsilon])
        if space == 'z':
            ways = latent.slerp(first, second, t[:, :, np.newaxis])
            ws = styles(ways.reshape(2 * n, latent_size).astype(np.float32))
        else:
            w = styles(np.concatenate([first, second]).astype(np.float32)).astype(np.float64)
            t = t.reshape([2, n] + [1] * (w.ndim - 1))
            ws = (w[:n] + (w[n:] - w[:n]) * t).reshape(w.shape).astype(np.float32)
        seen = np.asarray(features(_viewed(synthesise(ws))), np.float64)
        found.append(np.square(seen[:n] - seen[n:]).sum(1) / epsilon ** 2)
    return trimmed_mean(np.concatenate(found))
