"""`run.py explore` as a user types it: it serves, prepares meanwhile, and ends all it began."""

import json
import pathlib
import signal
import socket
import subprocess
import sys
import time
import types
import urllib.error
import urllib.request

import pytest
import toy_explorer
import toy_stylegan

import run as program
from commands import explore
from dnnlib.files import UserError

ROOT = pathlib.Path(__file__).parents[2]


def _error(capsys, *arguments):
    assert program.main(['explore', *arguments]) == 1
    line, = capsys.readouterr().err.splitlines()
    return line


def test_a_port_in_use_is_one_line_that_says_what_to_type(capsys):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        line = _error(capsys, '--port', str(port))
    assert f'127.0.0.1:{port} cannot be used (address already in use)' in line
    assert line.endswith(f'type: python run.py explore --port {port % 65535 + 1}')


@pytest.mark.parametrize('arguments, words', [
    (['--host', 'no.such.host.invalid'], 'is no address of this machine; type --host 127.0.0.1'),
    (['--host', '192.0.2.1'], '192.0.2.1 is no address of this machine'),
    (['--port', '0'], 'is too small'),
    (['--port', '65536'], 'is too large'), (['--data', 'nowhere'], 'nowhere does not exist'),
    (['--stylegan', 'nowhere.npz'], 'nowhere.npz does not exist')])
def test_a_mistake_is_one_line(capsys, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    free = [] if '--port' in arguments else ['--port', '8791']
    assert words in _error(capsys, *arguments, *free)


def _asked(address):
    try:
        return json.loads(urllib.request.urlopen(address).read().decode('utf-8'))
    except urllib.error.URLError:
        return None


def test_directions_of_other_models_are_left_alone(tmp_path, monkeypatch):
    made, kept = [], tmp_path / 'mine' / 'directions.npz'
    kept.parent.mkdir()
    kept.write_text('of other models')

    class Studio:
        gan = taggers = types.SimpleNamespace(images=None, path=None)

        def learn(self, folder, models):
            if not (folder / 'directions.npz').exists() or folder == kept.parent:
                raise UserError('no such directions')

    def find(processes, work, stylegan, tagger, threads, folder):
        made.append(folder)
        folder.mkdir()
        (folder / 'directions.npz').write_text('found')
    monkeypatch.setattr(explore.steering, 'fingerprints', lambda *models: {'stylegan': 'x'})
    monkeypatch.setattr(explore, '_apart', find)
    server, worker = types.SimpleNamespace(preparing={}), types.SimpleNamespace(do=lambda f: f())
    for _ in range(2):  # found once, then read
        options = types.SimpleNamespace(directions=kept.parent, threads=0)
        explore._prepare_editing(options, server, Studio(), worker, [])
        assert len(made) == 1 and made[0].parent == tmp_path and not server.preparing
    assert kept.read_text() == 'of other models'
    options.directions = tmp_path / 'new'
    explore._prepare_editing(options, server, Studio(), worker, [])
    assert made[1:] == [tmp_path / 'new']


@pytest.mark.slow
def test_it_serves_while_it_prepares_and_ends_with_all_that_it_began(tmp_path):
    toy_stylegan.snapshot(tmp_path / 'toy.npz')
    (tmp_path / 'photos').mkdir()
    toy_explorer.products(tmp_path / 'photos')
    process = subprocess.Popen(
        [sys.executable, str(ROOT / 'run.py'), 'explore', '--stylegan', 'toy.npz', '--data',
         'photos', '--threads', '1', '--port', '8792'], cwd=str(tmp_path),
        stdout=subprocess.PIPE, start_new_session=True)
    try:
        end, state = time.time() + 300, None
        while not state or not state['products']:
            assert time.time() < end and process.poll() is None
            time.sleep(0.2)
            state = _asked('http://127.0.0.1:8792/state')
        assert 'Finding the sliders' in state['preparing']['editing'] and not state['directions']
        assert len(_asked('http://127.0.0.1:8792/wall?first=0&count=3&psi=1')['items']) == 3
        assert (tmp_path / 'photos' / '.explore.npz').exists()
    finally:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)  # until all that write to it have ended
    assert process.returncode == 0
    assert out.decode().splitlines() == [
        'open http://localhost:8792/ in a browser; Ctrl-C stops', 'stopped.']
