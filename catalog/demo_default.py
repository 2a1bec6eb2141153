"""The default catalogue: the demo, drawn and pruned on first use."""

import pathlib

from catalog import source
from catalog.demo import build
from catalog.prune.rules import Prune, prune, summary

FOLDER = pathlib.Path('data/demo')
_PRUNED = FOLDER.with_name('demo-pruned')


def drawn():
    """The folder of the demo catalogue."""
    if not (FOLDER / 'products.csv').exists():
        print(f'no --data given, so the demo catalogue is drawn into {FOLDER}')
        print(build.summary(build.write(FOLDER)))
    return FOLDER


def pruned():
    """The folder of the demo catalogue as pruned with the default thresholds."""
    data = drawn()
    if not (_PRUNED / 'prune.csv').exists():
        print(summary(prune(data, _PRUNED, Prune())))
    return _PRUNED


def pictured(path=None, key_column=''):
    """The products with a picture, without the pruned ones: of the catalogue at `path`, or of
    the demo. Raises UserError."""
    path = path or pruned()
    return source.with_pictures(source.read_kept(path, key_column=key_column), path)
