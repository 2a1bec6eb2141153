"""What a training will take, before its first hour: real steps at full resolution; memory used."""

import contextlib
import os
import resource
import subprocess
import time

import numpy as np

from dnnlib.files import UserError
from dnnlib.tflib import tf
from stylegan import figures, schedule
from stylegan.graph import Graph
from stylegan.released import names

BYTES = 4  # of a float32


@contextlib.contextmanager
def memory_advice(at):
    """Turn TensorFlow's out-of-memory error into advice. at: the present schedule.Position."""
    try:
        yield
    except tf.errors.ResourceExhaustedError:
        raise UserError(
            f'out of memory at {at.resolution} px with a minibatch of {at.minibatch}; add '
            f'--accumulate {max(2, at.minibatch // 4)} (the same result except for the minibatch '
            'statistics, which see one part at a time), or lower --minibatch or --fmap-base')


def peak_memory():
    """The most memory that this process has held so far: (GiB of main memory, GiB of GPU memory).

    The second is what the driver counts for the process now; TensorFlow returns none before it
    ends. 0 without an NVIDIA GPU.
    """
    main = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20
    try:
        table = subprocess.check_output(
            ['nvidia-smi', '--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits'],
            stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return main, 0.0
    rows = [row.split(', ') for row in table.decode().splitlines()]
    return main, sum(int(row[1]) for row in rows  # [N/A] where the driver does not tell
                     if row[0] == str(os.getpid()) and row[1].isdigit()) / 1024


def checkpoint_bytes(network):
    """The size of a checkpoint at full resolution: Gs, and G and D with two moments of Adam each.

    The noise inputs are in Gs only.
    """
    g, d = [{name: int(np.prod(shape)) for name, shape in table.values() if name}
            for table in (names.generator(network), names.discriminator(network))]
    noise = sum(size for name, size in g.items() if name.endswith('/noise'))
    return BYTES * (4 * (sum(g.values()) - noise) + noise + 3 * sum(d.values()))


def preflight(network, training, start=None, packed=0):
    """Take real steps and draw one sample grid at full resolution -> facts as a dict.

    The first step of a kind includes TensorFlow's own preparations, so the second one is timed.
    The images are noise and nothing is written. start: as in stylegan.train.train. packed: bytes
    of the training set that will be packed.
    Raises UserError if memory does not suffice.
    """
    at = schedule.position(10 ** 12, network, training)  # long after the last fade
    with memory_advice(at), Graph(network, training, res=at.resolution,
                                  minibatch=at.minibatch) as graph:
        graph.start(None, start)
        pictures = np.random.RandomState(0).randint(
            0, 256, [at.minibatch, at.resolution, at.resolution, 3]).astype(np.uint8)
        seconds = {}
        for penalise in (False, False, True, True):  # R1 is in one of r1_interval steps
            before = time.time()
            losses = graph.step(pictures, alpha=1.0, lrate=at.lrate, penalise=penalise)
            seconds[penalise] = time.time() - before
        count = training.grid or int(np.prod(figures.fitting(network.resolution)))
        graph.show(np.zeros([count, network.latent_size], np.float32), 1.0)
        sizes = graph.sizes()
    ticks = training.kimg / at.tick_kimg
    snapshot, checkpoint = BYTES * sizes['Gs'], BYTES * sizes['all']
    main, gpu = peak_memory()
    step = seconds[False] + (seconds[True] - seconds[False]) / training.r1_interval
    return {'resolution': at.resolution, 'minibatch': at.minibatch, 'parts': training.accumulate,
            'losses': losses, 'sizes': sizes, 'seconds_per_kimg': 1000 * step / at.minibatch,
            'hours': training.kimg * 1000 * step / at.minibatch / 3600,
            'gib': main, 'gpu_gib': gpu,
            # Of the checkpoints two are kept while a third one is written.
            'disk_gib': (packed + 3 * checkpoint + (1 + ticks // training.snapshot_ticks) * snapshot
                         + 2 * ticks * count * at.resolution ** 2 * 3) / 2 ** 30}


def report(facts):
    """The facts as lines of text."""
    sizes = facts['sizes']
    losses = '   '.join(f'{name} {value:.3f}' for name, value in sorted(facts['losses'].items()))
    return '\n'.join([
        f"real steps at {facts['resolution']} px, minibatch {facts['minibatch']} in "
        f"{facts['parts']} part(s)",
        f"parameters   G {sizes['G']:,}   D {sizes['D']:,}",
        f'losses       {losses}',
        f"memory       {facts['gib']:.1f} GiB at most, on GPUs {facts['gpu_gib']:.1f} GiB",
        f"speed        {facts['seconds_per_kimg']:.0f} s per thousand images at full resolution",
        f"whole run    {facts['hours']:.1f} hours at that speed (lower resolutions are faster)",
        f"disk         {facts['disk_gib']:.1f} GiB at most, with packed images and sample grids"])
