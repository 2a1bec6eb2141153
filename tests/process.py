"""Every command as a user types it: `run.py` in a process of its own, and its smallest options."""

import json
import multiprocessing
import os
import pathlib
import socket
import sys
import tempfile

REPO = pathlib.Path(__file__).parents[1]
PICKLE = REPO / 'tests' / 'data' / 'stylegan' / 'original_small_clean.pkl'
SMALL_GAN = ['--resolution', '16', '--latent-size', '8', '--mapping-layers', '2', '--fmap-max', '8',
             '--initial', '8', '--kimg', '0.096', '--hold-kimg', '0.032', '--fade-kimg', '0.032',
             '--tick-kimg', '0.032', '--minibatch', '8', '--grid', '4', '--threads', '1']
SMALL_GPT2 = ['--n-vocab', '300', '--n-ctx', '96', '--window', '32', '--n-embd', '16', '--n-head',
              '2', '--n-layer', '1', '--batch', '2', '--steps', '4', '--validate-every', '2',
              '--sample-every', '4', '--threads', '1']

# The processes fork from one that has imported TensorFlow, which takes seconds, and done nothing.
_SERVER = multiprocessing.get_context('forkserver')
_SERVER.set_forkserver_preload(['dnnlib.tflib'])


def _main(arguments, cwd, typed, out, err, environment):
    """What the new process does: its standard streams are these three files."""
    os.environ.update(environment)
    for number, path, mode in ((0, typed, 'rb'), (1, out, 'wb'), (2, err, 'wb')):
        with open(path, mode) as file:
            os.dup2(file.fileno(), number)
    sys.stdin = os.fdopen(0, encoding='utf-8')  # multiprocessing has closed the old one
    multiprocessing.set_start_method(None, force=True)  # as in a process that no server started
    os.chdir(cwd)
    sys.argv = [str(REPO / 'run.py')] + arguments
    import run as program  # as the first thing: what it imports depends on the command
    sys.exit(program.main(arguments))


class Started:
    """A command in a process of its own, which reads `typed` from its terminal."""

    def __init__(self, *arguments, cwd, typed='', environment=()):
        os.environ['PYTHONPATH'] = str(REPO)  # for the server, where it is not started yet
        self._folder = tempfile.TemporaryDirectory()
        files = [pathlib.Path(self._folder.name) / name for name in ('typed', 'out', 'err')]
        files[0].write_text(typed)
        self._files = files[1:]
        self._process = _SERVER.Process(target=_main, args=(
            [str(argument) for argument in arguments], str(cwd), *map(str, files),
            dict(environment)))
        self._process.start()

    def alive(self):
        """Whether it has not ended yet."""
        return self._process.is_alive()

    def signal(self, number):
        """Send it a signal."""
        os.kill(self._process.pid, number)

    def end(self, seconds=300):
        """Wait for its end, or kill it; returns (exit code, stdout, stderr)."""
        self._process.join(seconds)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        with self._folder:
            return (self._process.exitcode,
                    *[path.read_text(encoding='utf-8') for path in self._files])


def run(*arguments, cwd, typed=''):
    """Run a command, which reads `typed` from its terminal; returns (exit code, stdout, stderr)."""
    return Started(*arguments, cwd=cwd, typed=typed).end()


def tf_configs(count):
    """TF_CONFIG for each of so many workers on this machine, on free ports."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(('localhost', 0))
    cluster = {'worker': [f'localhost:{each.getsockname()[1]}' for each in sockets]}
    for each in sockets:
        each.close()
    return [json.dumps({'cluster': cluster, 'task': {'type': 'worker', 'index': index}})
            for index in range(count)]


def start_workers(*arguments, cwd, count):
    """A data-parallel training: a list of the Started workers."""
    return [Started(*arguments, cwd=cwd, environment={'TF_CONFIG': config})
            for config in tf_configs(count)]


def succeed(*arguments, cwd):
    code, out, err = run(*arguments, cwd=cwd)
    assert code == 0, err[-2000:]
    return out
