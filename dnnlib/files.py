"""Files: written whole or not at all, read within bounds, and the one error type users see."""

import contextlib
import errno
import glob
import hashlib
import json
import math
import os
import pathlib
import re
import shutil
import uuid

TEMPORARY = '.tmp-'  # begins the name of every file or folder that is still being written
_STEM = 40  # characters of its name are in the name of a temporary file
TEXT_LIMIT = 1 << 25  # bytes of a JSON or text file from elsewhere
_DEPTH = 64  # of nested lists and objects in JSON
_DIGITS = 20  # of an integer in JSON
_NEARLY_FULL = 1 << 20  # bytes: with less space than this, a failed write means a full disk


class UserError(Exception):
    """A mistake of the user: one line that says what is wrong and what to type instead."""


class DiskFull(UserError):
    """There is no space left where something is being written."""

    def __init__(self, path, needed=None):
        path = pathlib.Path(path)
        path = path.parent if path.name.startswith(TEMPORARY) else path
        much = f'about {_amount(needed)} are needed' if needed else 'it takes more space'
        super().__init__(f'the disk is full: {path} could not be written; {much}, '
                         f'{_amount(free(path))} are free: make room, then type the same command '
                         'again')


def _amount(size):
    """Bytes for people."""
    unit, name = next((unit, name) for unit, name in ((1e9, 'GB'), (1e6, 'MB'), (1e3, 'kB'))
                      if size >= unit or name == 'kB')
    return f'{size / unit:.3g} {name}'


def printable(text):
    """Text for a terminal: control characters and what is no Unicode become escapes.

    Names of files and words in them may hold anything: newlines, colours, bytes of no encoding.
    """
    return ''.join(letter if letter.isprintable() else
                   letter.encode('unicode_escape').decode('ascii') for letter in str(text))


# --- Writing.

def temporary(path):
    """A new path beside `path` to write to first; it keeps the suffix, by which formats go."""
    path = pathlib.Path(path)
    return path.with_name(f'{TEMPORARY}{path.stem[:_STEM]}-{uuid.uuid4().hex[:12]}{path.suffix}')


def temporaries(path):
    """The paths that `temporary` has given for `path` and that exist."""
    path = pathlib.Path(path)
    stem = glob.escape(path.stem[:_STEM])
    return list(path.parent.glob(f'{TEMPORARY}{stem}-{"?" * 12}{glob.escape(path.suffix)}'))


@contextlib.contextmanager
def replacing(path, durable=True):
    """Yield a temporary path beside `path`; it takes `path`'s place if the block succeeds.

    A failing block, or a kill in the middle of it, leaves whatever stood at `path` untouched; if
    `durable`, so does a power cut, for some milliseconds a file. Raises DiskFull.
    """
    path = pathlib.Path(path)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = temporary(path)
    try:
        with disk_errors(path):
            yield unfinished
            if durable:
                sync(unfinished)
            os.replace(str(unfinished), str(path))
    finally:
        if unfinished.exists():
            unfinished.unlink()


@contextlib.contextmanager
def creating(folder):
    """Yield an empty temporary folder; it takes the name of `folder` if the block succeeds.

    A failing block leaves nothing. Raises DiskFull.
    """
    folder = pathlib.Path(folder)
    unfinished = temporary(folder)
    try:
        with disk_errors(folder):
            unfinished.mkdir(parents=True)
            yield unfinished
            for path in unfinished.glob('**/*'):
                sync(path)
            unfinished.rename(folder)
    finally:
        shutil.rmtree(str(unfinished), ignore_errors=True)


def sync(path):
    """Wait until a file, or the names in a folder, are on the disk."""
    number = os.open(str(path), os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def remove(path):
    """Remove a file, or a folder with what is in it; it may be gone already."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(str(path), ignore_errors=True)
    elif os.path.lexists(str(path)):
        path.unlink()


def write_text(path, text):
    """Write a UTF-8 text file, whole or not at all; line ends stay as they are.

    Bytes of a file name that are not UTF-8 become escapes, which JSON reads back.
    """
    with replacing(path) as unfinished:
        unfinished.write_bytes(text.encode('utf-8', 'backslashreplace'))


def write_json(path, value):
    """Write `value` as indented UTF-8 JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + '\n')


# --- Space.

def free(path):
    """Bytes that are free where `path` lies or will lie."""
    path = pathlib.Path(path).absolute()
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(str(path)).free


def need_space(path, needed):
    """Raise DiskFull if fewer than `needed` bytes are free where `path` will lie."""
    if free(path) < needed:
        raise DiskFull(path, needed)


def check_space(error, path):
    """Raise a UserError if an error of a write to `path` says, or seems to say, that it was larger
    than the disk's free space or than files may be.

    Image encoders and ffmpeg do not pass on the reason, so a disk without space counts as one.
    """
    number = getattr(error, 'errno', None)
    if number in (errno.ENOSPC, errno.EDQUOT) or 'No space left' in str(error) or (
            number in (None, errno.EPIPE) and free(path) < _NEARLY_FULL):
        raise DiskFull(path)
    if number == errno.EFBIG or 'File too large' in str(error):
        raise UserError(f'{path} could not be written: it is larger than files may be here; raise '
                        'the limit (ulimit -f unlimited), then type the same command again')


@contextlib.contextmanager
def disk_errors(path):
    """Turn the errors that a full disk causes inside the block into DiskFull, see `check_space`."""
    try:
        yield
    except OSError as error:
        check_space(error, path)
        raise


# --- Reading.

def existing(path, what):
    """`path` as a pathlib.Path, or a UserError that names `what` was expected there."""
    path = pathlib.Path(path)
    if not path.exists():
        raise UserError(f'{path} does not exist; give the path of {what}')
    return path


def read_bytes(path, limit=TEXT_LIMIT):
    """The bytes of a file. Raises UserError if it is missing, no file, or larger than `limit`."""
    path = pathlib.Path(path)
    if not path.exists():
        raise UserError(f'{path} is missing; was that folder made by this program?')
    if not path.is_file():  # a folder, or a pipe or device, which might never end
        raise UserError(f'{path} is not a file')
    with open(str(path), 'rb') as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise UserError(f'{path} is larger than {_amount(limit)}, too large for what it should be')
    return content


def read_text(path, limit=TEXT_LIMIT):
    """The text of a UTF-8 file. Raises UserError as `read_bytes` does, and for other encodings."""
    try:
        return read_bytes(path, limit).decode('utf-8')
    except UnicodeDecodeError:
        raise UserError(f'{path} is not UTF-8 text; was it copied completely?')


def _finite(text):
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f'the number {text[:20]} in it is not finite')
    return value


def _integer(text):
    if len(text) > _DIGITS:
        raise ValueError(f'a number in it has {len(text)} digits')
    return int(text)


def parse_json(text, nan=False):
    """A value from JSON text, nested at most 64 deep. nan: whether NaN and infinity may occur.

    Raises ValueError with a reason of one line.
    """
    number = float if nan else _finite
    try:
        value = json.loads(text, parse_float=number, parse_constant=number, parse_int=_integer)
    except RecursionError:
        raise ValueError('it is nested too deeply')
    level = [value]
    for _ in range(_DEPTH):
        level = [child for parent in level if isinstance(parent, (dict, list)) for child in
                 (parent.values() if isinstance(parent, dict) else parent)]
        if not level:
            return value
    raise ValueError('it is nested too deeply')


def read_json(path):
    """Read a UTF-8 JSON file that holds an object, a dict; numbers are finite.

    Raises UserError if it is missing, too large, no JSON or something else.
    """
    text = read_text(path)
    try:
        value = parse_json(text)
    except ValueError as error:
        raise UserError(f'{path} is not valid JSON ({error}); restore or delete it')
    if not isinstance(value, dict):
        raise UserError(f'{path} does not hold what it should, a JSON object; restore or delete it')
    return value


# --- Contents.

def sha256(path):
    """The SHA-256 of a file's bytes as 64 lower-case hex digits."""
    total = hashlib.sha256()
    with open(str(path), 'rb') as stream:
        for block in iter(lambda: stream.read(1 << 20), b''):
            total.update(block)
    return total.hexdigest()


def digest(path):
    """A fingerprint of what a file or folder holds, wherever it lies: 16 hexadecimal digits.

    Of a folder the names and contents of its files count, hidden ones excepted.
    """
    path = pathlib.Path(path)
    if not path.is_dir():
        return sha256(path)[:16]
    total = hashlib.sha256()
    for each in sorted(path.glob('**/*')):
        name = each.relative_to(path).as_posix()
        if each.is_file() and not re.search(r'(^|/)\.', name):
            total.update(f'{sha256(each)} {name}\n'.encode('utf-8', 'surrogateescape'))
    return total.hexdigest()[:16]
