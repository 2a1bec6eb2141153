"""An `.npz` of plain arrays: safe to load from anywhere, whole or absent, and known when damaged.

Nothing in such a file is ever run: arrays of Python objects are refused. Nothing is believed
either: what an array claims to hold must agree with the bytes that are there before memory is
taken for it. `about`, in the formats that have it, is a JSON text in an array of its own, which
says what the others are.
"""

import contextlib
import functools
import hashlib
import json
import operator
import pathlib
import re
import struct
import zipfile
import zlib

import numpy as np

from dnnlib import files
from dnnlib.files import UserError

# Limits on what a file may expand to. Deflate packs 1032 bytes into one at best, but only arrays of
# equal numbers; weights hardly shrink, and images on white ground 50-fold.
MEMBERS = 20000  # arrays in a file
EXPANSION = 100  # times the size of the file, and beyond that
ALLOWANCE = 1 << 28  # bytes that any file may have
LARGEST = 1 << 36  # bytes of all arrays together, and entries of one
_ABOUT = 1 << 20  # characters

# What zipfile raises on an archive that is damaged, encrypted or packed in a way of its own.
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError,
           ValueError, OverflowError)

# The header of an array in format 1.0: a Python dict, of which numpy writes exactly this form.
_MAGIC = b'\x93NUMPY\x01\x00'
_HEADER = re.compile(r"\{'descr': '([<>|=]?[fiubU]\d{1,9}|\|b1)', 'fortran_order': (True|False), "
                     r"'shape': \(((?:\d{1,18}, ?)*(?:\d{1,18})?)\), ?\} *\n")


def write(path, arrays, about=None, packed=True):
    """Write an `.npz`, whole or not at all.

    arrays: {name: array or list of numbers or texts}. about: JSON-able, or None for a format
    without it. packed: smaller, but slower to write and to read.
    """
    more = {} if about is None else {'about': np.array(json.dumps(about))}
    packing = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with files.replacing(path) as unfinished, zipfile.ZipFile(
            str(unfinished), 'w', packing, allowZip64=True) as archive:
        for name, values in dict(arrays, **more).items():  # as np.savez does, but ends cleanly
            with archive.open(name + '.npy', 'w', force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(values), allow_pickle=False)


def read(path, kind, advice):
    """The arrays of an `.npz`, {name: array}. Parameters and errors: as for `reading`."""
    with reading(path, kind, advice) as arrays:
        return arrays


@contextlib.contextmanager
def reading(path, kind, advice, names=None):
    """Yield the arrays of an `.npz`, {name: array}, while the block interprets them.

    path:   the file. kind: what it should be, such as 'snapshot of this program'.
    advice: what to do if it is not, such as 'copy it again'.
    names:  those to read, where they are there; None reads all.
    Raises UserError, also for what the block finds: a name that is missing, or a ValueError,
    TypeError and the like over what the file says. So nothing but reading belongs into the block.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise UserError(f'{path} does not exist; {advice}')
    if not path.is_file():
        raise UserError(f'{path} is not a file; {advice}')
    try:
        with open(str(path), 'rb') as stream:
            arrays = _arrays(stream, path.stat().st_size, names)
        yield arrays
    except (UserError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise UserError(f'{path} is no {kind}, or damaged ({_reason(error)}); {advice}')


def about(arrays):
    """Take the `about` out of the arrays that `reading` yields, a dict; call it in the block."""
    text = arrays.pop('about')
    if text.dtype.kind != 'U' or text.shape or text.itemsize > 4 * _ABOUT:
        raise ValueError("its 'about' is no text, or too long")
    try:
        value = files.parse_json(str(text), nan=True)
    except ValueError:
        raise ValueError("its 'about' is no JSON text")
    if not isinstance(value, dict):
        raise ValueError("its 'about' is no JSON object")
    return value


def finite(arrays):
    """The same arrays; raises ValueError if one holds NaN or infinity. For the block as well."""
    for name, values in arrays.items():
        if values.dtype.kind == 'f' and not np.isfinite(values).all():
            raise ValueError(f"'{name}' in it holds numbers that are not finite")
    return arrays


def digest(arrays):
    """A fingerprint of {name: array}, however it is stored: 16 hexadecimal digits."""
    total = hashlib.sha256()
    for name, values in sorted(arrays.items()):
        total.update(f'{name} {values.dtype.str} {values.shape}\n'.encode())
        total.update(np.ascontiguousarray(values).data)
    return total.hexdigest()[:16]


def _arrays(stream, size, names):
    """The arrays in an open file of `size` bytes by name. Raises ValueError with a reason."""
    try:
        archive = zipfile.ZipFile(stream)
    except _DAMAGE:
        stream.seek(0)
        head = stream.read(2)
        raise ValueError('it breaks off' if head == b'PK' else 'it is no .npz' if head else
                         'it is empty')
    wanted = {}
    for member in archive.infolist():
        name = member.filename
        name = name[:-len('.npy')] if name.endswith('.npy') else name
        if names is None or name in names:
            wanted[name] = member
    total = sum(member.file_size for member in wanted.values())
    if len(archive.infolist()) > MEMBERS:
        raise ValueError(f'it claims to hold {len(archive.infolist())} arrays')
    if total > min(LARGEST, ALLOWANCE + EXPANSION * size):
        raise ValueError(f'its {size} bytes claim to be {total} when unpacked')
    return {name: _array(archive, member, name) for name, member in wanted.items()}


def _array(archive, member, name):
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"'{name}' in it is packed in a way that no .npz is")
    try:
        with archive.open(member) as stream:
            values = _values(stream, member.file_size, name)
            if stream.read(1):  # reaching the end also compares the checksum
                raise ValueError
            return values
    except _NotPlain as error:
        raise ValueError(str(error))
    except _DAMAGE:
        raise ValueError(f"'{name}' in it is damaged")


class _NotPlain(Exception):
    """A member of an archive is no array of numbers or texts."""


def _values(stream, size, name):
    """The array in an open member that claims to have `size` bytes."""
    start = stream.read(len(_MAGIC) + 2)
    length = int.from_bytes(start[len(_MAGIC):], 'little')
    header = _HEADER.match(stream.read(length).decode('latin-1'))
    if not start.startswith(_MAGIC) or not header:
        raise _NotPlain(f"'{name}' in it is no plain array")
    try:
        dtype = np.dtype(header.group(1))
    except TypeError:  # such as f7
        raise _NotPlain(f"'{name}' in it is no plain array")
    shape = tuple(int(part) for part in header.group(3).split(',') if part.strip())
    entries, most = [functools.reduce(operator.mul, sides, 1) for sides in (
        shape, [max(side, 1) for side in shape])]
    if (entries * dtype.itemsize != size - len(start) - length or not dtype.itemsize
            or len(shape) > 16 or most > LARGEST):
        raise _NotPlain(f"'{name}' in it does not hold the numbers that it claims to")
    values = np.empty(entries, dtype)
    if entries and stream.readinto(values.view(np.uint8).data) != values.nbytes:
        raise EOFError
    _refuse_odd(values, name)
    if header.group(2) == 'True':
        return values.reshape(shape[::-1]).T
    return values.reshape(shape)


def _refuse_odd(values, name):
    """Refuse bytes that are no truth value and numbers that are no letter."""
    if values.dtype.kind == 'b' and values.size and values.view(np.uint8).max() > 1:
        raise _NotPlain(f"'{name}' in it holds other things than yes and no")
    if values.dtype.kind == 'U' and values.size:
        letters = values.view(np.dtype('u4').newbyteorder(values.dtype.byteorder))
        if letters.max() > 0x10FFFF:
            raise _NotPlain(f"'{name}' in it holds other things than letters")


def _reason(error):
    if isinstance(error, KeyError):
        return f'it has no {error}'
    if isinstance(error, (UserError, ValueError)):
        return str(error).split('\n')[0]
    return 'its contents have another form'
