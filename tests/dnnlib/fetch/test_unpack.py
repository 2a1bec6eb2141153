"""Archives from strangers unpack whole, inside their folder, or not at all."""

import io
import tarfile

import pytest

from dnnlib import files
from dnnlib.fetch import unpack
from dnnlib.files import UserError


def _write(path, *members, mode='w:gz', **attributes):
    """An archive of (name, content); attributes are set on the last member."""
    with tarfile.open(str(path), mode) as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            if (name, content) == members[-1]:
                for key, value in attributes.items():
                    setattr(member, key, value)
            archive.addfile(member, io.BytesIO(content))
    return path


def _tree(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob('*') if path.is_file()}


@pytest.mark.parametrize('mode', ['w', 'w:gz', 'w:bz2', 'w:xz'])
def test_files_and_folders_are_unpacked_as_they_are(tmp_path, mode):
    members = {'a/b/c.jpg': b'abc', 'a/größe.txt': b'', './d.bin': b'\0' * 1000}
    archive = _write(tmp_path / 'a', *members.items(), mode=mode)
    assert unpack.check(archive) == 1003
    unpack.unpack(archive, tmp_path / 'out')
    assert _tree(tmp_path / 'out') == {
        name.replace('./', ''): content for name, content in members.items()}
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a', 'out']


def test_owners_and_permissions_are_ignored(tmp_path):
    archive = tmp_path / 'a'
    with tarfile.open(str(archive), 'w') as written:
        member = tarfile.TarInfo('x')
        member.mode, member.uid = 0o6777, 12345
        written.addfile(member, io.BytesIO())
    unpack.unpack(archive, tmp_path / 'out')
    status = (tmp_path / 'out' / 'x').stat()
    assert not status.st_mode & 0o7111 and status.st_uid != 12345


@pytest.mark.parametrize('name', ['../x', 'a/../../x', '/x', 'a\\..\\x', 'C:x'])
def test_members_that_lead_elsewhere_are_refused(tmp_path, name):
    archive = _write(tmp_path / 'a', ('good', b'1'), (name, b'2'))
    for act in (unpack.check, lambda path: unpack.unpack(path, tmp_path / 'out')):
        with pytest.raises(UserError, match='not unpacked'):
            act(archive)
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize('kind', [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE,
                                  tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    archive = _write(tmp_path / 'a', ('good', b'1'), ('x', b''), type=kind, linkname='good')
    with pytest.raises(UserError, match="'x' in it is a link, a device"):
        unpack.unpack(archive, tmp_path / 'out')
    assert list(tmp_path.iterdir()) == [archive]


def test_damage_leaves_nothing(tmp_path):
    archive = _write(tmp_path / 'a', ('x', bytes(range(256)) * 100))
    whole = archive.read_bytes()
    for damaged in (whole[:-40], whole[:30], b'', b'no archive', b'PK\x03\x04'):
        archive.write_bytes(damaged)
        with pytest.raises(UserError, match='a is no tar archive, or damaged'):
            unpack.unpack(archive, tmp_path / 'out')
    assert list(tmp_path.iterdir()) == [archive]


def test_a_file_that_is_also_a_folder_leaves_nothing(tmp_path):
    archive = _write(tmp_path / 'a', ('x', b'1'), ('x/y', b'2'))
    with pytest.raises(UserError, match='cannot be unpacked'):
        unpack.unpack(archive, tmp_path / 'out')
    assert list(tmp_path.iterdir()) == [archive]


def test_a_full_disk_is_noticed_before(tmp_path, monkeypatch):
    archive = _write(tmp_path / 'a', ('x', b'12345'))
    monkeypatch.setattr(files, 'free', lambda path: 4)
    with pytest.raises(UserError, match='make room'):
        unpack.unpack(archive, tmp_path / 'out')
    assert list(tmp_path.iterdir()) == [archive]
