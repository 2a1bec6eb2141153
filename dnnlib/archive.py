"""An `.npz` of plain arrays: safe to load from anywhere, whole or absent, and known when damaged.

Nothing in such a file is ever run: arrays of Python objects are refused. `about`, in the formats
that have it, is a JSON text in an array of its own, which says what the others are.
"""

import contextlib
import io
import json
import pathlib
import struct
import zipfile
import zlib

import numpy as np

from dnnlib import files
from dnnlib.files import UserError

# What zipfile raises on an archive that is damaged, encrypted or packed in a way of its own.
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError,
           ValueError, OverflowError)


def write(path, arrays, about=None, packed=True):
    """Write an `.npz`, whole or not at all.

    arrays: {name: array or list of numbers or texts}. about: JSON-able, or None for a format
    without it. packed: smaller, but slower to write and to read.
    """
    told = {} if about is None else {'about': np.array(json.dumps(about))}
    with files.replacing(path) as temporary:
        (np.savez_compressed if packed else np.savez)(str(temporary), **dict(arrays, **told))


def read(path, kind, advice):
    """The arrays of an `.npz`, {name: array}. Parameters and errors: as for `reading`."""
    with reading(path, kind, advice) as arrays:
        return arrays


@contextlib.contextmanager
def reading(path, kind, advice, names=None):
    """Yield the arrays of an `.npz`, {name: array}, while the block makes out what they mean.

    path:   the file. kind: what it is to be, such as 'snapshot of this program'.
    advice: what to do if it is not, such as 'copy it again'.
    names:  those to read, where they are there; None reads all.
    Raises UserError, also for what the block finds: a name that is missing, or a ValueError,
    TypeError and the like over what the file says. So nothing but reading belongs into the block.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise UserError(f'{path} does not exist; {advice}')
    try:
        with open(str(path), 'rb') as stream:
            arrays = _arrays(stream, names)
        yield arrays
    except (UserError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise UserError(f'{path} is no {kind}, or damaged ({_reason(error)}); {advice}')


def about(arrays):
    """Take the `about` out of the arrays that `reading` yields; call it in the block."""
    try:
        return json.loads(str(arrays.pop('about')))
    except ValueError:
        raise ValueError("its 'about' is no JSON text")


def _arrays(stream, names):
    """The arrays in an open file by name. Raises ValueError with a reason in plain words."""
    try:
        archive = zipfile.ZipFile(stream)
    except _DAMAGE:
        stream.seek(0)
        head = stream.read(2)
        raise ValueError('it breaks off' if head == b'PK' else 'it is no .npz' if head else
                         'it is empty')
    found = {}
    for member in archive.namelist():
        name = member[:-len('.npy')] if member.endswith('.npy') else member
        if names is None or name in names:
            found[name] = _array(archive, member, name)
    return found


def _array(archive, member, name):
    try:
        content = archive.read(member)  # all of it first: the checksum comes last
    except _DAMAGE:
        raise ValueError(f"'{name}' in it is damaged")
    try:
        return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except (ValueError, TypeError, OverflowError):  # numpy's words would advise to allow pickles
        raise ValueError(f"'{name}' in it is no plain array")


def _reason(error):
    if isinstance(error, KeyError):
        return f'it has no {error}'
    if isinstance(error, (UserError, ValueError)):
        return str(error).split('\n')[0]
    return 'what it says of itself has another form'
