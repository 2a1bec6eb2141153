"""Files that are either whole or absent, and the one error type a user is meant to see."""

import contextlib
import hashlib
import json
import os
import pathlib
import uuid


class UserError(Exception):
    """A mistake of the user: one line that says what is wrong and what to type instead."""


@contextlib.contextmanager
def replacing(path):
    """Yield a temporary path beside `path`; it takes `path`'s place if the block succeeds.

    The temporary file keeps the suffix, since many writers choose their format by it. A failing
    block, or a kill in the middle of it, leaves whatever stood at `path` untouched.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.stem}.{uuid.uuid4().hex[:8]}{path.suffix}')
    try:
        yield temporary
        os.replace(str(temporary), str(path))
    finally:
        if temporary.exists():
            temporary.unlink()


def write_text(path, text):
    """Write a UTF-8 text file, whole or not at all; line ends stay as they are."""
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode('utf-8'))


def write_json(path, value):
    """Write `value` as indented UTF-8 JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + '\n')


def read_json(path):
    """Read a UTF-8 JSON file. Raises UserError if it is missing or no JSON."""
    path = pathlib.Path(path)
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise UserError(f'{path} is missing; was that folder made by this program?')
    except ValueError as error:
        raise UserError(f'{path} is not valid JSON ({error}); restore or delete it')


def existing(path, what):
    """`path` as a pathlib.Path, or a UserError that names `what` was expected there."""
    path = pathlib.Path(path)
    if not path.exists():
        raise UserError(f'{path} does not exist; give the path of {what}')
    return path


def digest(path):
    """A short fingerprint of what is in a file: 16 hexadecimal digits of its SHA-256."""
    total = hashlib.sha256()
    with open(str(path), 'rb') as stream:
        for block in iter(lambda: stream.read(1 << 20), b''):
            total.update(block)
    return total.hexdigest()[:16]
