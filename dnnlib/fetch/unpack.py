"""Unpack a tar archive from a stranger: plain files and folders below one folder, nothing else."""

import pathlib
import shutil
import tarfile
import zlib

from dnnlib import files
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
        raise UserError(f"{archive} is not unpacked: '{member.name}' in it is a link, a device or "
                        'leads out of the folder')


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
    files.need_space(folder, check(archive))
    try:
        with files.creating(folder) as unfinished:
            _extract(archive, unfinished)
    except _DAMAGE as error:
        raise UserError(f'{archive} cannot be unpacked ({error})')
