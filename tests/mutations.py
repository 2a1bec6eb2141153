"""Mutated files of the formats that come from elsewhere, read under watch.

A reader may return or raise UserError with one line. It may not raise anything else, write a file,
start a process, open a socket, or take more than SECONDS and BYTES.
"""

import contextlib
import dataclasses
import io
import os
import resource
import shutil
import signal
import sys
import time
import zipfile

from dnnlib import knobs, runs
from dnnlib.files import UserError

SECONDS, BYTES = 5, 1 << 30
FORMATS = ('npz', 'json', 'vocabulary', 'csv', 'tfrecords', 'pickle')
# What breaks parsers: ends of strings and lines, nesting, numbers beyond all types, odd types.
_TOKENS = (b'"', b'\0', b'\r\n', b'\n', b'\xff\xfe', b'\xed\xa0\x80', b'[' * 2000, b'{"a":' * 99,
           b'9' * 5000, b'1e999', b'-1', b'NaN', b'null', b'true', b'[]', b'{}', b'""', b',', b';',
           b'\t', b' ', b'}', b'\x1b[2J', b'\xff' * 8, b'\0' * 8, b'\x7f' + b'\xff' * 3)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FORBIDDEN = ('subprocess.', 'socket.', 'os.system', 'os.exec', 'os.fork', 'os.posix_spawn',
              'os.remove', 'os.rename', 'os.mkdir', 'os.rmdir', 'shutil.', 'exec', 'ctypes.dlopen')


def damaged(content, rng):
    """Bytes cut off, zeroed, appended, overwritten, repeated, or with an odd token among them."""
    content, kind = bytearray(content), rng.randint(7)
    place = rng.randint(len(content) + 1)
    some = slice(place, place + rng.randint(1, 9))
    if kind == 0:
        return bytes(content[:place])
    if kind == 1:
        return bytes(len(content))
    if kind == 2:
        return bytes(content) + rng.bytes(rng.randint(1, 99))
    if kind == 3:
        content[some] = rng.bytes(len(content[some]))
    elif kind == 4:
        content[place:place] = content[rng.randint(len(content) + 1):][:rng.randint(1, 99)]
    else:
        content[some if kind == 5 else slice(place, place)] = _TOKENS[rng.randint(len(_TOKENS))]
    return bytes(content)


def _damaged_member(content, rng):
    """An `.npz` of which one array is damaged and packed again, so that the checksum agrees."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, 'w') as new:
        names = old.namelist()
        chosen = names[rng.randint(len(names))] if rng.randint(2) else 'about.npy'
        for name in names:
            member = old.read(name)
            new.writestr(name, damaged(member, rng) if name == chosen else member)
    return packed.getvalue()


def mutated(format, content, rng):
    """A mutated copy of a good file's bytes."""
    if format == 'npz' and rng.randint(2):
        return _damaged_member(content, rng)
    return damaged(content, rng)


def _records(path):
    from stylegan import dataset
    some = dataset.Records(path.parent)
    some.batch(0, some.count, some.resolution)


def _run_options(path):
    from stylegan.config import Network
    options, _ = runs.read_options(path.parent)
    names = {field.name for field in dataclasses.fields(Network)}
    knobs.from_dict(Network, {name: options[name] for name in names & set(options)})


def readers(gan, gpt2, catalogue):
    """{format: (a good file, the function that reads it)}.

    gan, gpt2: run folders. catalogue: a folder with products.csv; a released pickle is put there.
    """
    import toy_released

    from catalog import source
    from gpt2 import encoder
    from stylegan import snapshots
    released = catalogue / 'network.pkl'
    released.write_bytes(toy_released.pickled(toy_released.networks()))
    return {
        'npz': (sorted(gan.glob('network-snapshot-*.npz'))[0], snapshots.load),
        'json': (gan / 'options.json', _run_options),
        'vocabulary': (gpt2 / 'snapshot' / 'vocab.bpe', lambda path: encoder.load(path.parent)),
        'csv': (catalogue / 'products.csv', source.read),
        'tfrecords': (gan / 'records' / 'photos-r03.tfrecords', _records),
        'pickle': (released, snapshots.load)}


class _Watch:
    """Notes what a reader does that it may not; an audit hook stays for the rest of a process."""

    def __init__(self):
        self.on, self.seen = False, []
        if hasattr(sys, 'addaudithook'):  # from Python 3.8 on
            sys.addaudithook(self._hook)

    def _hook(self, event, arguments):
        if self.on and (event.startswith(_FORBIDDEN) or (event == 'open'
                        and isinstance(arguments[2], int) and arguments[2] & _WRITES)):
            self.seen.append(event)

    @contextlib.contextmanager
    def watching(self):
        self.on = True
        try:
            yield
        finally:
            self.on = False


def read_mutated(format, good, read, folder, count, rng):
    """Read `count` mutated copies of a file -> how many were refused. Call it in a process of its
    own, which an endless reader ends by SIGALRM. Raises AssertionError, and what a reader does.

    folder: a new one, where the copies are written; other files of the format go there as well.
    The file of a failure stays there.
    """
    folder.mkdir()
    for beside in good.parent.glob('*.*' if format in ('vocabulary', 'tfrecords') else good.name):
        shutil.copy(str(beside), str(folder))
    content, path, refused, watch = good.read_bytes(), folder / good.name, 0, _Watch()
    read(path)  # imports what it needs
    for _ in range(count):
        path.write_bytes(mutated(format, content, rng))
        before, most = time.time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        signal.alarm(4 * SECONDS)
        try:
            with watch.watching():
                read(path)
        except UserError as error:
            assert '\n' not in str(error), (format, error)
            refused += 1
        signal.alarm(0)
        more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most
        seconds = time.time() - before
        assert seconds < SECONDS and more < BYTES >> 10, (format, seconds, more)
        assert not watch.seen, (format, watch.seen)
    shutil.rmtree(str(folder))
    return refused
