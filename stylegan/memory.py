"""How much memory a training takes, and what to lower where it is too much."""

import contextlib
import os
import resource
import subprocess

from dnnlib.files import UserError
from dnnlib.tflib import tf


@contextlib.contextmanager
def guard(at):
    """Turn TensorFlow's lack of memory into advice. at: the schedule.Position worked at."""
    try:
        yield
    except tf.errors.ResourceExhaustedError:
        raise UserError(
            'out of memory at %d px with a minibatch of %d; add --accumulate %d (the same result '
            'but for the minibatch statistics, in parts), or lower --minibatch or --fmap-base'
            % (at.resolution, at.minibatch, max(2, at.minibatch // 4)))


def peak():
    """The most memory that this process has held so far: (GiB in main memory, GiB on GPUs).

    The second is what the driver counts for the process now, which TensorFlow never gives back
    before its end; 0 without an NVIDIA GPU.
    """
    main = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20
    try:
        table = subprocess.check_output(
            ['nvidia-smi', '--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits'],
            stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return main, 0.0
    rows = [row.split(', ') for row in table.decode().splitlines()]
    return main, sum(float(mib) for pid, mib in rows if int(pid) == os.getpid()) / 1024
