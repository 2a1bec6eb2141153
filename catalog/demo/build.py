"""The demo catalogue: `write` fills a folder with products.csv and images/, without a network.

Product i depends on (seed, i) alone, so a longer catalogue contains a shorter one, and the number
of processes does not matter. A fraction of the images are bad shots, by the column `truth`.
"""

import collections
import csv
import dataclasses
import functools
import pathlib

import numpy as np

from catalog.demo import attributes, words
from catalog.demo.draw import shots
from dnnlib import files, progress
from dnnlib.files import UserError
from dnnlib.knobs import check, knob, seed_knob

COLUMNS = ('image', 'description') + attributes.NAMES + ('truth',)


@dataclasses.dataclass(frozen=True)
class Demo:
    """Options of the catalogue."""
    count: int = knob(3000, 'number of products', least=1)
    seed: int = seed_knob('seed of everything random')
    size: int = knob(320, 'width and height of an image, at least 300', 'pixels',
                     least=300, most=4096)
    bad: float = knob(0.12, 'fraction of bad shots, for pruning to find', least=0, most=1)
    jumpsuits: float = knob(attributes.JUMPSUIT_SHARE, 'fraction of jumpsuits, the rare class',
                            least=0, most=1)

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True)
class Product:
    """A row of the catalogue. truth: kind of shot; source: index of the product it shows."""
    index: int
    garment: attributes.Garment
    truth: str
    source: int


def _drawn(index, demo):
    """(garment, truth) of product `index`; a duplicate has no source yet."""
    rng = np.random.RandomState([demo.seed, index, 0])
    garment = attributes.draw(rng, jumpsuits=demo.jumpsuits)
    if rng.uniform() >= demo.bad:
        return garment, 'good'
    return garment, str(rng.choice(list(shots.KINDS), p=list(shots.KINDS.values())))


def product(index, demo):
    """Product `index` of a catalogue; a duplicate repeats an earlier good one."""
    garment, truth = _drawn(index, demo)
    if truth != 'duplicate':
        return Product(index, garment, truth, index)
    rng = np.random.RandomState([demo.seed, index, 3])
    for source in rng.permutation(index).tolist():
        garment_there, truth_there = _drawn(source, demo)
        if truth_there == 'good':
            return Product(index, garment_there, truth, source)
    return Product(index, garment, 'good', index)  # there is no earlier one to repeat


def _name(index):
    return f'images/{index:05d}.jpg'


def picture_file(index, demo):
    """The bytes of the image file of product `index`."""
    item = product(index, demo)
    kind = 'good' if item.truth in ('unreadable', 'duplicate') else item.truth
    rgb = shots.picture(kind, item.garment, size=demo.size,
                        rng=np.random.RandomState([demo.seed, item.source, 1]))
    rng = np.random.RandomState([demo.seed, index, 4])
    if item.truth == 'duplicate':
        return shots.duplicate(rgb, rng)
    if item.truth == 'unreadable':
        return shots.unreadable(shots.jpeg(rgb), rng)
    return shots.jpeg(rgb)


def row(index, demo):
    """The row of products.csv of product `index`, {column: text}."""
    item = product(index, demo)
    description = words.describe(item.garment, np.random.RandomState([demo.seed, index, 2]))
    return dict(dataclasses.asdict(item.garment), image=_name(index), description=description,
                truth=item.truth)


def _make(index, folder, demo):
    """Write the image of product `index`, unless it is there, and return its row."""
    path = folder / _name(index)
    if not path.exists():
        with files.replacing(path) as temporary:
            temporary.write_bytes(picture_file(index, demo))
    return row(index, demo)


def _write_products(table, demo, processes):
    """Write all images, then products.csv at the path `table`."""
    task = functools.partial(_make, folder=table.parent, demo=demo)
    with progress.parallel(task, range(demo.count), processes, what='drawing',
                           unit='image') as rows:
        rows = list(rows)
    with files.replacing(table) as temporary, \
            open(str(temporary), 'w', newline='', encoding='utf-8') as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def _check(folder, demo):
    """Refuse a folder that holds something else."""
    options = folder / 'demo.json'
    if not options.exists():
        if folder.exists() and any(folder.glob('[!.]*')):
            raise UserError(f'{folder} holds something other than a demo catalogue; name a new '
                            'folder')
        return files.write_json(options, dataclasses.asdict(demo))
    before = files.read_json(options)
    if before != dataclasses.asdict(demo):
        changed = [f'--{name} {before.get(name)}'
                   for name, value in dataclasses.asdict(demo).items() if before.get(name) != value]
        raise UserError(f"{folder} holds a catalogue made with {' '.join(changed)}; repeat that or "
                        'name a new folder')
    return None


def _counts(path):
    with open(str(path), newline='', encoding='utf-8') as stream:
        rows = list(csv.DictReader(stream))
    return {column: dict(collections.Counter(line[column] for line in rows).most_common())
            for column in ('category', 'truth')}


def write(folder, demo=Demo(), *, processes=None):
    """Write the demo catalogue into `folder`; finished files are kept.

    Makes images/*.jpg, products.csv (image, description, category, other attributes, truth) and
    demo.json. Returns {'category': {name: count}, 'truth': {name: count}}, most frequent first.
    Raises UserError if the folder holds a catalogue with other options, or something else.
    """
    folder = pathlib.Path(folder)
    _check(folder, demo)
    table = folder / 'products.csv'
    if not table.exists():
        _write_products(table, demo, processes)
    return _counts(table)


def summary(counts):
    """What `write` returned, as lines to print."""
    return '\n'.join(
        f'{column:9} ' + ', '.join(f'{number} {value}' for value, number in sorted(
            values.items(), key=lambda item: -item[1])) for column, values in counts.items())
