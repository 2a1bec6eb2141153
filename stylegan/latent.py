"""Style mixing and interpolation, as plain numpy on z [n, latent] and ws [n, layers, w]."""

import numpy as np

from dnnlib.files import UserError


def bands(layers):
    """Which layers control shape (coarse), parts (middle), colour and cloth (fine): name -> range.

    4x4 and 8x8, 16x16 and 32x32, 64x64 and up, as in Karras et al. 2018, figure 3. A generator
    that ends at 32 px or below has its last two layers as the fine ones.
    """
    fine = max(2, min(8, layers - 2))
    coarse = min(4, fine - 1)
    return {'coarse': range(coarse), 'middle': range(coarse, fine), 'fine': range(fine, layers)}


def band(text, layers):
    """'coarse', 'middle', 'fine', 'all', '0-3' or '5' -> range of layers. Raises UserError."""
    known = dict(bands(layers), all=range(layers))
    if text in known:
        return known[text]
    first, _, last = text.partition('-')
    try:
        found = range(int(first), int(last or first) + 1)
    except ValueError:
        found = range(0)
    if not found or found[-1] >= layers:
        raise UserError(f"'{text}' names no layers; known are: {', '.join(known)}, or numbers from "
                        f'0 to {layers - 1} such as 0-{min(3, layers - 1)}')
    return found


def mixed(ws, source, band):
    """Style mixing: ws with the layers of `band` taken from `source` (broadcast to its shape)."""
    result = np.array(ws)
    result[:, list(band)] = source[:, list(band)]
    return result


def moved(ws, vector, amounts, band):
    """ws [n, layers, w] plus amounts [n] times vector [w] (or [n, w]), in a band of layers."""
    result = np.array(ws)
    step = np.reshape(amounts, [-1, 1]) * vector
    result[:, list(band)] += step[:, np.newaxis].astype(result.dtype)
    return result


def slerp(a, b, t):
    """Spherical interpolation between a and b [..., latent], t in 0..1 (Shoemake 1985).

    The length is interpolated linearly, so both ends are exact. Opposite directions, between which
    no shortest arc exists, do not occur among random latents.
    """
    length_a = np.linalg.norm(a, axis=-1, keepdims=True)
    length_b = np.linalg.norm(b, axis=-1, keepdims=True)
    a, b = a / length_a, b / length_b
    angle = np.arccos(np.clip(np.sum(a * b, -1, keepdims=True), -1, 1))
    near = angle < 1e-6
    sine = np.where(near, 1, np.sin(angle))
    arc = np.where(near, a, (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / sine)
    return arc * (length_a + (length_b - length_a) * t)


def closed_walk(stops, frames):
    """A closed path through z stops [n, latent], `frames` per segment -> z [n * frames, latent].

    It slows down at each stop (smoothstep), so that a viewer can look at its picture.
    """
    t = np.arange(frames) / frames
    eased = (t * t * (3 - 2 * t))[:, np.newaxis]
    segments = [slerp(a[np.newaxis], b[np.newaxis], eased)
                for a, b in zip(stops, np.roll(stops, -1, axis=0))]
    return np.concatenate(segments).astype(np.float32)


def averages(ws, count, rng, most=4):
    """ws [n, layers, w] -> [count, layers, w]: weighted means of two to `most` of them each.

    The weights are uniform among those that sum to 1 (Dirichlet). rng: np.random.RandomState.
    """
    result = []
    for _ in range(count):
        chosen = rng.permutation(len(ws))[:rng.randint(2, max(3, min(most, len(ws)) + 1))]
        weights = rng.dirichlet(np.ones(len(chosen)))
        result.append(np.tensordot(weights, ws[chosen], 1))
    return np.array(result, np.float32).reshape((count,) + ws.shape[1:])


def crossed(ws, count, band, rng):
    """Random pairs of ws [n, layers, w], style mixed in `band` -> [count, layers, w]."""
    pairs = [rng.permutation(len(ws))[:2] for _ in range(count)]
    result = [mixed(ws[[one]], ws[[other]], band)[0] for one, other in pairs]
    return np.array(result, np.float32).reshape((count,) + ws.shape[1:])
