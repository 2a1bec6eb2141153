"""What a training would take, found out before its first hour: one real step at the target size."""

import time

import numpy as np

from stylegan import figures, memory, schedule
from stylegan.graph import Graph

BYTES = 4  # of a float32


def preflight(network, training, start=None):
    """Take two real steps and draw one sample grid at full resolution -> facts as a dict.

    The first step also pays for TensorFlow's own preparations, so the second one is timed. The
    pictures are noise and nothing is written. start: as in stylegan.train.train.
    Raises UserError where the memory does not suffice.
    """
    at = schedule.position(10 ** 12, network, training)  # long after the last fade
    with memory.guard(at), Graph(network, training, res=at.resolution,
                                 minibatch=at.minibatch) as graph:
        graph.start(None, start)
        for seed in range(2):
            pictures = np.random.RandomState(seed).randint(
                0, 256, [at.minibatch, at.resolution, at.resolution, 3]).astype(np.uint8)
            before = time.time()
            losses = graph.step(pictures, alpha=1.0, lrate=at.lrate, penalise=True)
            seconds = time.time() - before
        count = training.grid or int(np.prod(figures.fitting(network.resolution)))
        graph.show(np.zeros([count, network.latent_size], np.float32), 1.0)
        sizes = graph.sizes()
    ticks = training.kimg / at.tick_kimg
    snapshot, checkpoint = BYTES * sizes['Gs'], BYTES * sizes['all']
    main, gpu = memory.peak()
    return {'resolution': at.resolution, 'minibatch': at.minibatch, 'parts': training.accumulate,
            'losses': losses, 'sizes': sizes, 'seconds_per_kimg': 1000 * seconds / at.minibatch,
            'hours': training.kimg * 1000 * seconds / at.minibatch / 3600,
            'gib': main, 'gpu_gib': gpu,
            'disk_gib': (2 * checkpoint + (1 + ticks // training.snapshot_ticks) * snapshot
                         + ticks * count * at.resolution ** 2 * 3) / 2 ** 30}


def report(facts):
    """The facts as lines for a person."""
    return '\n'.join([
        'one real step at %(resolution)d px, minibatch %(minibatch)d in %(parts)d part(s)' % facts,
        'parameters   G {G:,}   D {D:,}'.format(**facts['sizes']),
        'losses       ' + '   '.join('%s %.3f' % item for item in sorted(facts['losses'].items())),
        f"memory       {facts['gib']:.1f} GiB at most, on GPUs {facts['gpu_gib']:.1f} GiB",
        f"speed        {facts['seconds_per_kimg']:.0f} s per thousand pictures at full size",
        f"whole run    {facts['hours']:.0f} hours at that speed (what is grown through is quicker)",
        f"disk         {facts['disk_gib']:.1f} GiB at most, sample grids included"])
