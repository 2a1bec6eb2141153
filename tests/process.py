"""Every command as a user types it: `run.py` in a process of its own, and its smallest options."""

import multiprocessing
import os
import pathlib
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


def _main(arguments, cwd, typed, out, err):
    """What the new process does: its standard streams are these three files."""
    for number, path, mode in ((0, typed, 'rb'), (1, out, 'wb'), (2, err, 'wb')):
        with open(path, mode) as file:
            os.dup2(file.fileno(), number)
    sys.stdin = os.fdopen(0, encoding='utf-8')  # multiprocessing has closed the old one
    multiprocessing.set_start_method(None, force=True)  # as in a process that no server started
    os.chdir(cwd)
    sys.argv = [str(REPO / 'run.py')] + arguments
    import run as program  # as the first thing: what it imports depends on the command
    sys.exit(program.main(arguments))


def run(*arguments, cwd, typed=''):
    """Run a command, which reads `typed` from its terminal; returns (exit code, stdout, stderr)."""
    os.environ['PYTHONPATH'] = str(REPO)  # for the server, where it is not started yet
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder) / name for name in ('typed', 'out', 'err')]
        files[0].write_text(typed)
        process = _SERVER.Process(target=_main, args=(
            [str(argument) for argument in arguments], str(cwd), *map(str, files)))
        process.start()
        process.join(300)
        if process.is_alive():
            process.terminate()
        return (process.exitcode, *[path.read_text(encoding='utf-8') for path in files[1:]])


def succeed(*arguments, cwd):
    code, out, err = run(*arguments, cwd=cwd)
    assert code == 0, err[-2000:]
    return out
