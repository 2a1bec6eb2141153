"""One process at a time: a lock file that names its owner, so that a dead one's is taken over.

Whether an owner on this machine lives is known for certain: it holds the file by flock(2), which
ends with the process, and its process id and start time tell it from a later process of that id.
On shared folders, where flock may not reach other machines, the name of the machine decides.
"""

import contextlib
import errno
import json
import os
import pathlib
import platform
import time

from dnnlib import files
from dnnlib.files import UserError

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None

_NAME = '.lock'
_LIMIT = 4096  # bytes of a lock file
_held = set()  # the lock files that this process holds


def _line(path):
    try:
        return pathlib.Path(path).read_text().strip()
    except OSError:
        return ''


def _started(process):
    """When a process of this machine started, in ticks since the boot; None if there is none."""
    fields = _line(f'/proc/{process}/stat').rpartition(')')[2].split()
    ended = not fields or fields[0] in 'ZX'  # nobody has asked for its exit code yet
    return None if ended or len(fields) <= 19 else fields[19]


def _processes():
    """The namespace of process ids: containers have their own."""
    try:
        return os.readlink('/proc/self/ns/pid')
    except OSError:
        return ''


def _me():
    return {'process': os.getpid(), 'started': _started(os.getpid()), 'host': platform.node(),
            'boot': _line('/proc/sys/kernel/random/boot_id'), 'processes': _processes()}


def _flock(number, wait=False):
    """Whether the open file is this process's now; True also where there is no flock."""
    try:
        if fcntl:
            fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return True
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)


def _read(number):
    try:
        owner = files.parse_json(os.read(number, _LIMIT).decode('utf-8'))
    except ValueError:  # its owner was killed while writing it
        return {}
    known = isinstance(owner, dict) and isinstance(owner.get('process'), int)
    return owner if known else {}


def _lives(owner):
    """Whether the owner of a lock that nobody holds by flock may be alive nevertheless."""
    me = _me()
    if owner.get('boot') != me['boot'] or not me['boot']:
        return bool(owner) and owner.get('host') != me['host']  # else this machine was restarted
    started = _started(owner.get('process'))
    return started is not None and owner == dict(me, process=owner['process'], started=started)


def _owner(path):
    """Who holds the lock file at `path`: a dict; None if that process is dead."""
    number = os.open(str(path), os.O_RDWR)
    try:
        owner = _read(number)
        return owner if not _flock(number) or _lives(owner) else None
    finally:
        os.close(number)


def _works(owner, what):
    host, process = owner.get('host', '?'), owner.get('process', '?')
    where = '' if host == platform.node() else f' on {host}'
    return f'process {process}{where} is working on {what}'


def _refuse(what, path, owner):
    raise UserError(f'{_works(owner, what)}; wait for its end, or, if it ended without a word, '
                    f'delete {path}')


def _create(path, what):
    """Make the lock file at `path` this process's -> its open number. Raises UserError."""
    if path.exists():
        if not path.is_file():
            raise UserError(f'{path} is not a lock file; delete it')
        owner = _owner(path)
        if owner is not None:
            _refuse(what, path, owner)
        path.unlink()
    try:
        number = os.open(str(path), os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
    except FileExistsError:  # another machine was faster
        _refuse(what, path, {})
    _flock(number)
    os.write(number, json.dumps(_me()).encode('utf-8'))
    os.fsync(number)
    return number


@contextlib.contextmanager
def hold(path, what):
    """Inside, no other process holds the lock file at `path`; it is removed at the end.

    what: what it protects, for the message. A process may hold a lock again that it holds already.
    Missing folders are made, and removed at the end if nothing else is in them.
    Raises UserError if a living process holds it.
    """
    path = pathlib.Path(os.path.abspath(str(path)))
    if (os.getpid(), path) in _held:
        yield
        return
    missing = [each for each in path.parents if not each.exists()]
    try:
        with _owned(path, what):
            _held.add((os.getpid(), path))
            yield
    finally:
        _held.discard((os.getpid(), path))
        with contextlib.suppress(OSError):  # the first that is not empty
            for each in missing:
                each.rmdir()


@contextlib.contextmanager
def _owned(path, what):
    with files.disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        guard = os.open(str(path.parent), os.O_RDONLY)
        try:
            _flock(guard, wait=True)  # only one process looks and takes at a time
            number = _create(path, what)
        finally:
            os.close(guard)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(number)


@contextlib.contextmanager
def folder(path, wait=False):
    """Inside, this process alone writes to a folder, which is made if it is missing.

    What killed processes left half-written in it is removed first. Raises UserError if another
    process is at it; wait: wait for its end instead.
    """
    path = pathlib.Path(path)
    if wait and (path / _NAME).exists():
        _wait(path)
    with hold(path / _NAME, path):
        _sweep(path)
        yield


def _wait(path):
    """Wait until no process is at a folder."""
    announced = False
    with contextlib.suppress(FileNotFoundError):  # the lock file is gone
        while True:
            owner = _owner(path / _NAME)
            if owner is None:
                return
            if not announced:
                print(f'{_works(owner, path)}; waiting for it', flush=True)
            announced = True
            time.sleep(0.5)


@contextlib.contextmanager
def new(path):
    """Inside, this process alone makes the file or folder at `path`, see files.replacing and
    files.creating; what killed processes left of it beside it is removed first. Raises UserError.
    """
    path = pathlib.Path(path)
    with hold(path.with_name(f'.{path.name}{_NAME}'), path):
        for left in files.temporaries(path):
            files.remove(left)
        yield


def _sweep(top):
    """Remove what killed processes left in a folder and in those below it.

    Not in folders that hold a lock, of a living process or not: whoever takes that next does it.
    """
    for folder, folders, names in os.walk(str(top)):
        here = pathlib.Path(folder)
        if here != top and any(name[0] == '.' and name.endswith(_NAME) for name in names):
            folders[:] = []
            continue
        for name in folders + names:
            if name.startswith(files.TEMPORARY):
                files.remove(here / name)
        folders[:] = [name for name in folders if not name.startswith(files.TEMPORARY)]
