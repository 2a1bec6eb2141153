"""Latent codes z [n, latent] and styles ws [n, layers, w]: reading, mixing, interpolation.

The user gives styles as seeds, or as an `.npz` as `run.py project` writes it, with `w` [n, w], or
`ws` [n, layers, w], a separate w per layer (W+).
"""

import pathlib
import shlex

import numpy as np

from dnnlib import archive
from dnnlib.files import UserError

_MOST = 100000  # seeds in an option


def bands(layers):
    """Which layers control shape (coarse), parts (middle), colour and cloth (fine): name -> range.

    4x4 and 8x8, 16x16 and 32x32, 64x64 and up, as in Karras et al. 2018, figure 3. In a generator
    of 32 px or less, the last two layers are the fine ones.
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

    The length is interpolated linearly, so both ends are exact. Opposite directions, which have no
    unique shortest arc, do not occur among random latents.
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

    It pauses at each stop (smoothstep), so that a viewer can look at its image.
    """
    t = np.arange(frames) / frames
    eased = (t * t * (3 - 2 * t))[:, np.newaxis]
    segments = [slerp(a[np.newaxis], b[np.newaxis], eased)
                for a, b in zip(stops, np.roll(stops, -1, axis=0))]
    return np.concatenate(segments).astype(np.float32)


def averages(ws, count, rng):
    """ws [n, layers, w] -> [count, layers, w]: weighted means of two to four each.

    The weights are uniform on the simplex (Dirichlet). rng: np.random.RandomState.
    """
    result = []
    for _ in range(count):
        chosen = rng.permutation(len(ws))[:rng.randint(2, max(3, min(4, len(ws)) + 1))]
        weights = rng.dirichlet(np.ones(len(chosen)))
        result.append(np.tensordot(weights, ws[chosen], 1))
    return np.array(result, np.float32).reshape((count,) + ws.shape[1:])


def crossed(ws, count, band, rng):
    """Style mixing in `band` of random pairs of ws [n, layers, w] -> [count, layers, w]."""
    pairs = [rng.permutation(len(ws))[:2] for _ in range(count)]
    result = [mixed(ws[[one]], ws[[other]], band)[0] for one, other in pairs]
    return np.array(result, np.float32).reshape((count,) + ws.shape[1:])


def seeds(text):
    """'7', '1,5,9', '0-7' or a combination with commas -> list of seeds. Raises UserError."""
    try:
        found = []
        for part in text.split(','):
            first, _, last = part.strip().partition('-')
            found.append(range(int(first), int(last or first) + 1))
    except ValueError:
        raise UserError(f"'{text}' names no seeds; write 7, 1,5,9 or 0-7")
    if not all(found) or max(part[-1] for part in found) >= 2 ** 32:
        raise UserError(f"'{text}' names no seeds; they go from 0 to {2 ** 32 - 1}")
    if sum(map(len, found)) > _MOST:
        raise UserError(f"'{text}' names more than {_MOST} seeds; give fewer")
    return [seed for part in found for seed in part]


def read(path, layers, width):
    """The styles in a file -> ws float32 [n, layers, width]. Raises UserError.

    layers, width: of the generator that they are for.
    """
    with archive.reading(path, 'file of latent codes', 'give an .npz with w or ws, as run.py '
                         'project writes it', names=('ws', 'w')) as found:
        if not found:
            raise ValueError('it holds neither w [n, w] nor ws [n, layers, w]')
        name = 'ws' if 'ws' in found else 'w'
        if found[name].dtype.kind not in 'fiu':
            raise ValueError(f"its '{name}' are not numbers")
        with np.errstate(over='ignore'):  # overflow becomes infinite, which is refused
            values = found[name].astype(np.float32)
        archive.finite({name: values})
    own = values.shape[1:]
    if own != ((width,) if name == 'w' else (layers, width)) or not len(values):
        raise UserError(f'{path} has {name} of shape {list(values.shape)}; this generator takes '
                        f'[n, {width}] or [n, {layers}, {width}]')
    return values if name == 'ws' else np.repeat(values[:, np.newaxis], layers, 1)


def styles(generator, text, psi):
    """SEEDS|FILE -> ws [n, layers, w]; psi truncates seeds only. Raises UserError."""
    if pathlib.Path(text).suffix == '.npz':
        return read(text, generator.layers, len(generator.w_avg))
    try:
        chosen = seeds(text)
    except UserError:
        if not text or not pathlib.Path(text).exists():
            raise
        raise UserError(f'{text} is neither seeds nor an .npz; to find the styles of an image, '
                        f'type: python run.py project {shlex.quote(text)}')
    return generator.truncate(generator.w(generator.seeded(chosen)), psi)


def save(path, ws):
    """Write ws [n, layers, w] as an .npz that `read` takes."""
    archive.write(path, {'ws': ws})
