"""Styles as a user gives them: seeds, or an `.npz` of latent codes as `run.py project` writes it.

The file holds `w` [n, w], or `ws` [n, layers, w] with a separate w per layer (W+).
"""

import pathlib

import numpy as np

from dnnlib import archive
from dnnlib.files import UserError

_MOST = 100000  # seeds in one option


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

    layers, width: of the generator that will draw them.
    """
    with archive.reading(path, 'file of latent codes', 'give an .npz with w or ws, as run.py '
                         'project writes it', names=('ws', 'w')) as found:
        if not found:
            raise ValueError('it holds neither w [n, w] nor ws [n, layers, w]')
        name = 'ws' if 'ws' in found else 'w'
        if found[name].dtype.kind not in 'fiu':
            raise ValueError(f"its '{name}' are no numbers")
        with np.errstate(over='ignore'):  # too large for float32: infinite, and so refused
            values = found[name].astype(np.float32)
        archive.finite({name: values})
    own = values.shape[1:]
    if own != ((width,) if name == 'w' else (layers, width)) or not len(values):
        raise UserError(f'{path} has {name} of shape {list(values.shape)}; this generator takes '
                        f'[n, {width}] or [n, {layers}, {width}]')
    return values if name == 'ws' else np.repeat(values[:, np.newaxis], layers, 1)


def styles(generator, text, psi):
    """SEEDS|FILE -> ws [n, layers, w]; only seeds are truncated by `psi`. Raises UserError."""
    if pathlib.Path(text).suffix == '.npz':
        return read(text, generator.layers, len(generator.w_avg))
    try:
        chosen = seeds(text)
    except UserError:
        if not text or not pathlib.Path(text).exists():
            raise
        raise UserError(f'{text} is neither seeds nor an .npz; to find the styles of a picture, '
                        f'type: python run.py project {text}')
    return generator.truncate(generator.w(generator.seeded(chosen)), psi)


def save(path, ws):
    """Write ws [n, layers, w] as an .npz that `read` takes."""
    archive.write(path, {'ws': ws})
