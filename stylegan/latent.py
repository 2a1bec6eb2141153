"""Ways through the latent space, as plain numpy on z [n, latent] and ws [n, layers, latent]."""

import numpy as np


def bands(layers):
    """Which layers decide shape (coarse), parts (middle), colour and cloth (fine).

    4x4 and 8x8, 16x16 and 32x32, 64x64 and up, as in Karras et al. 2018, figure 3. A generator
    that ends at 32 px or below has its last two layers as the fine ones.
    """
    fine = max(2, min(8, layers - 2))
    coarse = min(4, fine - 1)
    return {'coarse': range(0, coarse), 'middle': range(coarse, fine), 'fine': range(fine, layers)}


def mixed(ws, source, band):
    """ws with the layers of `band` taken from `source` (same shape, or broadcastable)."""
    result = np.array(ws)
    result[:, list(band)] = source[:, list(band)]
    return result


def slerp(a, b, t):
    """Between the directions of a and b [..., latent] along a great circle; t in 0..1.

    The length goes linearly, so that ends are met exactly. Opposite directions have no shortest
    way; they do not occur among random latents.
    """
    length_a = np.linalg.norm(a, axis=-1, keepdims=True)
    length_b = np.linalg.norm(b, axis=-1, keepdims=True)
    a, b = a / length_a, b / length_b
    angle = np.arccos(np.clip(np.sum(a * b, -1, keepdims=True), -1, 1))
    near = angle < 1e-6
    sine = np.where(near, 1, np.sin(angle))
    way = np.where(near, a, (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / sine)
    return way * (length_a + (length_b - length_a) * t)


def closed_walk(stops, frames):
    """A round trip through z stops [n, latent], `frames` per leg -> z [n * frames, latent].

    Eased at each stop, so that a viewer can look at what has been reached.
    """
    t = np.arange(frames) / frames
    eased = (t * t * (3 - 2 * t))[:, np.newaxis]
    legs = [slerp(a[np.newaxis], b[np.newaxis], eased)
            for a, b in zip(stops, np.roll(stops, -1, axis=0))]
    return np.concatenate(legs).astype(np.float32)
