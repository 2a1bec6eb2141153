"""The points of the latent space that a user names: seeds, or files of w as `project` writes them.

A file is an `.npz` with `w` [n, w], or `ws` [n, layers, w] with a style of its own per layer.
"""

import pathlib

import numpy as np

from dnnlib import archive
from dnnlib.files import UserError


def seeds(text):
    """'7', '1,5,9' or '0-7', or several of them with commas between -> list of seeds."""
    try:
        found = []
        for part in text.split(','):
            first, _, last = part.strip().partition('-')
            found += range(int(first), int(last or first) + 1)
    except ValueError:
        raise UserError(f"'{text}' names no seeds; write 7, 1,5,9 or 0-7")
    if not found or max(found) >= 2 ** 32:
        raise UserError("'%s' names no seeds; they go from 0 to %d" % (text, 2 ** 32 - 1))
    return found


def read(path, layers, width):
    """The styles in a file -> ws float32 [n, layers, width]. Raises UserError.

    layers, width: of the generator that is to draw them.
    """
    with archive.reading(path, 'file of styles', 'give an .npz with w or ws, as run.py project '
                         'writes it', names=('ws', 'w')) as found:
        if not found:
            raise ValueError('it holds neither w [n, w] nor ws [n, layers, w]')
    name = 'ws' if 'ws' in found else 'w'
    values = found[name]
    own = values.shape[1:]
    if own != ((width,) if name == 'w' else (layers, width)) or not len(values):
        raise UserError('%s has %s of shape %s; this generator takes [n, %d] or [n, %d, %d]' % (
            path, name, list(values.shape), width, layers, width))
    values = values.astype(np.float32)
    return values if name == 'ws' else np.repeat(values[:, np.newaxis], layers, 1)


def styles(generator, text, psi):
    """SEEDS|FILE -> ws [n, layers, w]; seeds are truncated by `psi`, those of a file kept."""
    if pathlib.Path(text).suffix == '.npz':
        return read(text, generator.layers, len(generator.w_avg))
    try:
        chosen = seeds(text)
    except UserError:
        if not text or not pathlib.Path(text).exists():
            raise
        raise UserError('%s is neither seeds nor an .npz; the styles of a picture are found with: '
                        'python run.py project %s' % (text, text))
    return generator.truncate(generator.w(generator.seeded(chosen)), psi)


def save(path, ws):
    """Write ws [n, layers, w] as an .npz that `read` takes."""
    archive.write(path, {'ws': ws})
