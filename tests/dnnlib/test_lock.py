"""One process at a time writes to a folder or file; what killed ones left is removed."""

import os
import pathlib
import subprocess
import sys
import threading

import process
import pytest

from dnnlib import files, lock, runs
from dnnlib.files import UserError

# --- One process at a time.

def _enter(context):
    with context:
        pass


_HOLDS = """
import sys; sys.path.insert(0, {root!r})
from dnnlib import lock
with lock.folder({folder!r}):
    print('held', flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock of tmp_path."""
    root = str(pathlib.Path(lock.__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, '-c', _HOLDS.format(root=root, folder=str(tmp_path))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True)
    assert process.stdout.readline() == 'held\n'
    yield process
    process.kill()
    process.communicate()


def test_a_living_owner_is_left_alone(tmp_path, other):
    run = runs.Run(tmp_path, {})
    with pytest.raises(UserError, match=f'process {other.pid} is working on .*delete .*[.]lock'):
        _enter(run.writing())
    assert not (tmp_path / 'options.json').exists()
    other.communicate('')
    with run.writing():
        assert (tmp_path / '.lock').exists()
    assert not (tmp_path / '.lock').exists()


def test_a_killed_owner_is_replaced_and_what_it_left_half_written_removed(tmp_path, other):
    files.temporary(tmp_path / 'a.npz').write_text('half')
    other.kill()
    other.wait()
    assert (tmp_path / '.lock').exists()
    with runs.Run(tmp_path, {}).writing():
        assert sorted(path.name for path in tmp_path.iterdir()) == ['.lock', 'options.json']


def test_without_flock_the_start_time_tells_processes_apart(tmp_path, other, monkeypatch):
    monkeypatch.setattr(lock, 'fcntl', None)
    path, whole = tmp_path / '.lock', files.read_json(tmp_path / '.lock')
    with pytest.raises(UserError, match='is working on'):
        _enter(lock.folder(tmp_path))
    for change in ({'started': '1'}, {'boot': 'before'}, {'processes': 'pid:[1]'}):
        files.write_json(path, dict(whole, **change))
        _enter(lock.folder(tmp_path))
    files.write_json(path, dict(whole, boot='another', host='another-machine'))
    with pytest.raises(UserError, match=r'on another-machine is working on .* delete'):
        _enter(lock.folder(tmp_path))


@pytest.mark.parametrize('make', [os.mkfifo, os.mkdir])
def test_what_is_no_lock_file_is_not_read(tmp_path, make):
    make(str(tmp_path / '.lock'))
    with pytest.raises(UserError, match=r'[.]lock is not a lock file; delete it'):
        _enter(lock.folder(tmp_path))


@pytest.mark.parametrize('content', ['', '{"process', '[]', '{"process": "../.."}'])
def test_a_lock_that_was_cut_off_is_nobodys(tmp_path, content):
    (tmp_path / '.lock').write_text(content)
    _enter(lock.folder(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_only_what_dead_processes_left_is_removed(tmp_path):
    """Not what a process has under way that works in a folder further down."""
    names = ['a.npz', 'deep/b.png', 'deep/records', 'run/c.npz', 'run/deep/d.npz', 'pack/e.npz']
    left = [files.temporary(tmp_path / name) for name in names]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('half')
    for name in ('run/.lock', 'pack/.records.lock', 'deep/.hidden'):
        (tmp_path / name).write_text('')
    _enter(lock.folder(tmp_path))
    assert [path.exists() for path in left] == [False] * 3 + [True] * 3
    assert (tmp_path / 'deep' / '.hidden').exists()


def test_a_file_has_a_lock_and_leftovers_of_its_own(tmp_path):
    for name in ('a[1].npz', 'other.npz'):
        files.temporary(tmp_path / name).write_text('half')
    with lock.new(tmp_path / 'a[1].npz'):
        assert sorted(path.name[:10] for path in tmp_path.iterdir()) == ['.a[1].npz.', '.tmp-other']
    assert [path.name[:10] for path in tmp_path.iterdir()] == ['.tmp-other']


def test_a_process_may_lock_again_what_it_has_locked(tmp_path):
    with lock.folder(tmp_path / 'a'):
        _enter(lock.folder(tmp_path / 'a' / '..' / 'a'))
        assert (tmp_path / 'a' / '.lock').exists()


def test_folders_that_were_made_for_nothing_are_removed(tmp_path):
    _enter(lock.folder(tmp_path / 'a' / 'b'))
    assert list(tmp_path.iterdir()) == []
    with lock.folder(tmp_path / 'a' / 'b'):
        (tmp_path / 'a' / 'c').write_text('kept')
    assert [path.name for path in tmp_path.glob('**/*')] == ['a', 'c']


def test_another_process_can_be_waited_for(tmp_path, other, capsys):
    timer = threading.Timer(0.3, other.kill)
    timer.start()
    with lock.folder(tmp_path, wait=True):
        timer.join()
    assert f'{other.pid} is working on {tmp_path}; waiting for it' in capsys.readouterr().out


def test_two_commands_do_not_write_to_one_folder(tmp_path, other):
    for command in ('demo --count 1', 'mix --from 1 --onto 2'):
        code, _, err = process.run(*command.split(), '--out', '.', cwd=tmp_path)
        assert (code, err.count('\n')) == (1, 1) and f'process {other.pid} is working on .;' in err
