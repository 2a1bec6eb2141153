"""An explorer of a tiny StyleGAN, with the pretrained tagger and text model, for its tests."""

import pathlib

import numpy as np
import toy_stylegan

from catalog.source import Product
from dnnlib import images
from explore.server import Server
from explore.studio import Studio
from explore.worker import Worker
from steering import directions, discover
from stylegan import labelled

PRETRAINED = pathlib.Path(__file__).parents[1] / 'pretrained'
MADE = {'by': 'a test'}
FACTS = [('network', 'a toy')]
HOST = 'http://localhost:8017'


def studio(folder, between=lambda: None):
    """A Studio of random weights that draws images of 16 px."""
    toy_stylegan.snapshot(folder / 'toy.npz')
    return Studio(folder / 'toy.npz', PRETRAINED / 'gpt2' / 'snapshot',
                  PRETRAINED / 'tagger' / 'tagger.npz', 1, between)


def learnt(made, folder):
    """The same Studio with directions, found in a few images and kept in a folder."""
    config = discover.Discovery(count=120, fewest=15, components=2)
    sample = labelled.collect(made.gan, made.taggers.images, count=120, psi=1, seed=0)
    labelled.save(folder / 'tagged.npz', sample, MADE)
    directions.save(folder / 'directions.npz', discover.find(made.gan, sample, {}, config), MADE)
    made.learn(folder, MADE)
    return made


def products(folder, count=6):
    """Products with images of one colour each, in a folder."""
    found = []
    for index in range(count):
        path = folder / f'{index}.png'
        rgb = np.full([40, 30, 3], 255, np.uint8)
        rgb[8:32, 6:24] = np.random.RandomState(index).randint(0, 256, 3)
        images.write_png(path, rgb)
        category = 'dress' if index % 2 else 'skirt'
        found.append(Product(path, path.name, f'No. {index}.', category, (category,), path.name))
    return found


def server(folder):
    """(Server, Studio, Worker) as `run.py explore` puts them together. Close the worker."""
    worker = Worker()
    made = learnt(studio(folder, worker.between), folder)
    return Server(made, worker, bound='127.0.0.1', out=folder / 'out', facts=FACTS), made, worker
