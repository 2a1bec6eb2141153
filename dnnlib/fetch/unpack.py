"""Unpack a tar archive from a stranger: plain files and folders below one folder, nothing else."""

import pathlib
import shutil
import tarfile
import uuid
import zlib

from dnnlib.files import UserError

# What tarfile raises on files that are no archives, or damaged ones.
_DAMAGE = (tarfile.TarError, EOFError, OSError, ValueError, zlib.error)


def _place(name):
    """A member's name as a relative path; None if it leads elsewhere."""
    path = pathlib.PurePosixPath(name)
    if path.is_absolute() or '..' in path.parts or '\\' in name or ':' in name or '\0' in name:
        return None
    return path


def _refuse_danger(member, archive):
    if _place(member.name) is None or not (member.isfile() or member.isdir()):
        raise UserError("%s is not unpacked: '%s' in it is a link, a device or leads out of the "
                        'folder' % (archive, member.name))


def check(archive):
    """Read a tar archive (plain, gz, bz2 or xz) to its end without writing anything.

    Returns the bytes of its files together. Raises UserError if it is damaged, or if a member is
    a link or a device or would lie outside of the folder.
    """
    size = 0
    try:
        with tarfile.open(str(archive)) as members:
            for member in members:
                _refuse_danger(member, archive)
                size += member.size
    except _DAMAGE as error:
        raise UserError(f'{archive} is no tar archive, or damaged ({error})')
    return size


def _extract(archive, folder):
    with tarfile.open(str(archive)) as members:
        for member in members:
            path = folder / _place(member.name)
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(str(path), 'wb') as copy:
                shutil.copyfileobj(members.extractfile(member), copy)


def unpack(archive, folder):
    """Unpack a tar archive into the new folder `folder`, whole or not at all.

    Owners, permissions and times in the archive are ignored. Raises UserError as `check` does, or
    if the disk is too full.
    """
    folder = pathlib.Path(folder)
    assert not folder.exists(), folder
    size, free = check(archive), shutil.disk_usage(str(folder.parent)).free
    if size > free:
        raise UserError('%s needs %d MB unpacked and only %d MB are free; make room'
                        % (archive, size >> 20, free >> 20))
    temporary = folder.with_name(f'.{folder.name}.{uuid.uuid4().hex[:8]}')
    try:
        temporary.mkdir()
        _extract(archive, temporary)
        temporary.rename(folder)
    except _DAMAGE as error:
        raise UserError(f'{archive} cannot be unpacked ({error})')
    finally:
        shutil.rmtree(str(temporary), ignore_errors=True)
