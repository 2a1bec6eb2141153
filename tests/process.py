"""Every command as a user types it: `run.py` in a process of its own, and its smallest options."""

import pathlib
import subprocess
import sys

REPO = pathlib.Path(__file__).parents[1]
PICKLE = REPO / 'tests' / 'data' / 'stylegan' / 'original_small_clean.pkl'
SMALL_GAN = ['--resolution', '16', '--latent-size', '8', '--mapping-layers', '2', '--fmap-max', '8',
             '--initial', '8', '--kimg', '0.096', '--hold-kimg', '0.032', '--fade-kimg', '0.032',
             '--tick-kimg', '0.032', '--minibatch', '8', '--grid', '4', '--threads', '1']
SMALL_GPT2 = ['--n-vocab', '300', '--n-ctx', '96', '--window', '32', '--n-embd', '16', '--n-head',
              '2', '--n-layer', '1', '--batch', '2', '--steps', '4', '--validate-every', '2',
              '--sample-every', '4', '--threads', '1']


def run(*arguments, cwd):
    """Run a command; returns (exit code, stdout, stderr)."""
    done = subprocess.run([sys.executable, str(REPO / 'run.py')] + [str(a) for a in arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=str(cwd),
                          universal_newlines=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def succeed(*arguments, cwd):
    code, out, err = run(*arguments, cwd=cwd)
    assert code == 0, err[-2000:]
    return out
