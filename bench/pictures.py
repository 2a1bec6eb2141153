"""The rows about images: drawing, training, packing, pruning."""

import dataclasses
import functools
import pathlib
import shutil
import tempfile

import numpy as np

from bench import floor
from bench.row import Row, Work


class _Folder(tempfile.TemporaryDirectory):
    """A folder that is deleted with the object: when nothing uses it or the process ends."""

    def __truediv__(self, name):
        return pathlib.Path(self.name) / name


# --- The networks.

def synthesis(threads, res, batch=1, times=1):
    """Images of the averaged generator with the paper's feature maps, from w, random weights."""
    from dnnlib.tflib import tf
    from stylegan import networks, snapshots
    from stylegan.config import Network
    from stylegan.generator import Generator
    network = Network(resolution=res)
    rng = np.random.RandomState(0)
    with tf.Graph().as_default(), tf.variable_scope('Gs'):
        networks.mapping(tf.zeros([1, network.latent_size]), network)
        ws = tf.placeholder(tf.float32, [batch, networks.layers(res), network.w_width])
        pictures = networks.synthesis(ws, network, res=res, alpha=1.0,
                                      planes=networks.stored_noise)
        values = {v.op.name: rng.standard_normal(v.shape.as_list()).astype(np.float32)
                  for v in tf.global_variables()}
        flops, traffic = floor.work([pictures])
    values['Gs/dlatent_avg'] = np.zeros(network.w_width, np.float32)
    folder = _Folder()
    path = folder / 'network-snapshot-000000.npz'
    snapshots.save(path, values, network, res=res, alpha=1.0, kimg=0, made={})
    generator = Generator(path, threads)
    w = rng.standard_normal(ws.shape.as_list()).astype(np.float32)

    def run():
        for _ in range(times):
            generator.images(w)
    return Work(run, batch * times, flops * times, traffic * times)


def training(threads, res, batch, network, penalise, steps=1, **config):
    """Training steps of StyleGAN at one resolution, from random weights, on one constant batch.

    penalise: R1 every so many steps; 0: never.
    """
    from stylegan.config import Training
    from stylegan.graph import Graph
    graph = Graph(network, Training(threads=threads, minibatch=batch, **config), res=res,
                  minibatch=batch).__enter__()
    graph.start(None)
    reals = np.random.RandomState(0).randint(0, 256, [batch, res, res, 3]).astype(np.uint8)

    def run():
        for step in range(steps):
            graph.step(reals, alpha=1.0, lrate=0.001,
                       penalise=bool(penalise) and step % penalise == 0)
    with_r1 = len(range(0, steps, penalise)) if penalise else 0
    work = np.sum([floor.work(graph.operations(penalise=True)) for _ in range(with_r1)]
                  + [floor.work(graph.operations(penalise=False)) for _ in range(steps - with_r1)],
                  axis=0)
    return Work(run, batch * steps, *work.tolist())


def demo_step(threads, res=64):
    """Training steps of the demo preset, R1 in one of eight."""
    from stylegan.config import PRESETS
    network, config = PRESETS['demo']
    return training(threads, res, config.minibatch, network, config.r1_interval, steps=8,
                    mixing=config.mixing, r1_interval=config.r1_interval)


def paper_step(threads, penalise):
    """Training steps at 64 px, base 1024, at most 64 maps, latent 64, batch 8, with noise."""
    from stylegan.config import Network
    network = Network(resolution=64, latent_size=64, fmap_base=1024, fmap_max=64)
    return training(threads, 64, 8, network, penalise, steps=4)


def full_step(threads):
    """A training step at 64 px with the paper's feature maps, batch 4, R1."""
    from stylegan.config import Network
    return training(threads, 64, 4, Network(resolution=64), 1)


def real_data(threads, constant):
    """Training steps of the demo preset on packed photos, or on one batch without reading."""
    from stylegan import dataset, schedule, train
    from stylegan.config import PRESETS
    from stylegan.graph import Graph
    folder = _Folder()
    dataset.pack(_photos(folder / 'photos', 64, 320, 320), folder / 'records', 64)
    records = dataset.Records(folder / 'records')
    network, config = PRESETS['demo']
    config = dataclasses.replace(config, threads=threads)
    at = schedule.position(0, network, config)
    graph = Graph(network, config, res=64, minibatch=at.minibatch).__enter__()
    graph.start(None)
    reals = records.batch(0, at.minibatch, 64)

    def run():
        for step in range(1, 5):  # without R1
            if constant:
                graph.step(reals, alpha=at.alpha, lrate=at.lrate, penalise=False)
            else:
                train.step(graph, records, at, step * at.minibatch)
    return Work(run, 4 * at.minibatch)


# --- The data.

def _photos(folder, count, width, height):
    """Write JPEGs of shots of the demo catalogue, cropped or padded -> their paths."""
    from PIL import Image, ImageOps

    from catalog.demo import build
    drawn = build.Demo(count=count, size=max(width, height))
    folder.mkdir()
    for index in range(count):
        path = folder / f'{index:05d}.jpg'
        path.write_bytes(build.picture_file(index, drawn))
        if build.product(index, drawn).truth == 'good' and width != height:
            with Image.open(str(path)) as picture:
                cropped = ImageOps.fit(picture, (width, height))
            cropped.save(str(path), quality=92)
    return sorted(folder.glob('*.jpg'))


def packing(threads):
    """Packing photos of 768x1024 px as TFRecords of 512 px and all smaller sizes."""
    from stylegan import dataset
    folder = _Folder()
    paths = _photos(folder / 'photos', 32, 768, 1024)

    def run():
        shutil.rmtree(str(folder / 'records'), ignore_errors=True)
        dataset.pack(paths, folder / 'records', 512)
    return Work(run, len(paths))


def pruning(threads):
    """Pruning photos of 400x533 px, contact sheets included."""
    from catalog.prune import rules
    folder = _Folder()
    count = len(_photos(folder / 'photos', 300, 400, 533))

    def run():
        shutil.rmtree(str(folder / 'out'), ignore_errors=True)
        rules.prune(folder / 'photos', folder / 'out', rules.Prune())
    return Work(run, count)


def drawing(threads):
    """Drawing the demo catalogue, photos of 320 px."""
    from catalog.demo import build
    folder = _Folder()

    def run():
        shutil.rmtree(str(folder / 'demo'), ignore_errors=True)
        build.write(folder / 'demo', build.Demo(count=200))
    return Work(run, 200)


ROWS = {
    'synthesis-512': Row(lambda threads: synthesis(threads, 512, times=2), quick=True),
    'step-64': Row(demo_step, quick=True),
    'step-64-threads': Row(demo_step, variants={'all threads': {}, 'one thread': {'threads': 1}}),
    'step-8': Row(lambda threads: demo_step(threads, res=8)),
    'step-64-r1': Row(paper_step, variants={'R1 every step': {'penalise': 1},
                                            'without R1': {'penalise': 0}}),
    'step-64-full': Row(full_step),
    'input': Row(real_data, variants={'real data': {'constant': False},
                                      'constant batch': {'constant': True}}),
    **{f'growth-{res}': Row(functools.partial(synthesis, res=res), variants={
        f'batch {batch}': {'batch': batch} for batch in (1, 4, 16)})
       for res in (64, 128, 256, 512, 1024)},
    'growth-step': Row(demo_step, variants={f'{res} px': {'res': res} for res in (8, 16, 32, 64)}),
    'packing': Row(packing),
    'pruning': Row(pruning),
    'drawing': Row(drawing, quick=True),
}
