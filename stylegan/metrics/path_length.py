"""Perceptual path length: how much the image changes for a small step through latent space.

Karras et al. 2018, section 4.1. Images are not cropped, since products fill them: the paper's crop
is for faces.
"""

import numpy as np

from dnnlib import progress
from stylegan import latent

LARGEST = 256  # pixels; larger images are averaged down to it, as in the paper
BATCH = 8  # paths at a time, of two images each


def pixels(pictures):
    """Images [n, h, w, 3] in 0..255 as features [n, d] that need no network.

    The squared distance of two rows is the mean squared difference of their pixels in 0..1.
    """
    flat = np.reshape(pictures, [len(pictures), -1]).astype(np.float64)
    return flat / (255 * np.sqrt(flat.shape[1]))


def _downscaled(images):
    """float32 [n, s, s, 3] in [-1, 1] -> 0..255, unrounded, of LARGEST pixels at most."""
    assert images.dtype == np.float32, f'{images.dtype} would round the step away'
    n, side, _, channels = images.shape
    factor = max(1, side // LARGEST)
    small = images.reshape(n, side // factor, factor, side // factor, factor, channels)
    return (small.mean((2, 4)) + 1) * np.float32(127.5)


def trimmed_mean(values):
    """Mean of the values from the 1st to the 99th percentile, both rounded outwards."""
    ordered, last = np.sort(values), len(values) - 1
    low, high = ordered[last // 100], ordered[-(-99 * last // 100)]
    return float(ordered[(ordered >= low) & (ordered <= high)].mean())


def path_length(generator, features, *, psi, count, seed, space='w', ends=False, epsilon=1e-4):
    """Mean over `count` random paths of |features(t) - features(t + epsilon)|^2 / epsilon^2.

    generator: stylegan.generator.Generator, truncated by psi (1: none). Rounding would hide a step
               as small as epsilon, so its float `images` are measured.
    features:  function of images, float32 [n, h, w, 3] in 0..255 -> [n, d], such as `pixels`.
    space:     'w', on the line between two w, or 'z', on the great circle between two z.
    ends:      t is 0, not uniform in 0..1.
    The paper's features are those of LPIPS; figures in other features are not comparable with it.
    Paths outside the 1st to 99th percentile are left out.
    """
    assert space in ('w', 'z') and count > 0, (space, count)
    rng, found = np.random.RandomState(seed), []

    def styles(z):
        return generator.truncate(generator.w(z.astype(np.float32)), psi)
    for start in progress.bar(range(0, count, BATCH), what='path length', unit='batch',
                              leave=False):
        n = min(BATCH, count - start)
        first, second = rng.randn(2, n, generator.latent_size)
        t = np.zeros(n) if ends else rng.rand(n)
        t = np.stack([t, t + epsilon])
        if space == 'z':
            path = latent.slerp(first, second, t[:, :, np.newaxis])
            ws = styles(path.reshape(2 * n, generator.latent_size))
        else:
            w = styles(np.concatenate([first, second])).astype(np.float64)
            t = t.reshape([2, n] + [1] * (w.ndim - 1))
            ws = (w[:n] + (w[n:] - w[:n]) * t).reshape(w.shape).astype(np.float32)
        values = np.asarray(features(_downscaled(generator.images(ws))), np.float64)
        found.append(np.square(values[:n] - values[n:]).sum(1) / epsilon ** 2)
    return trimmed_mean(np.concatenate(found))
