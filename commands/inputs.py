"""What a command reads: the models and the catalogue that are named, else the newest of a run, what
comes pretrained with the project, or the demo.
"""

import hashlib
import os
import pathlib
import sys

from dnnlib import files, lock
from dnnlib.files import UserError

RUNS = pathlib.Path('runs')
PRETRAINED = pathlib.Path(__file__).parents[1] / 'pretrained'
DEMO = pathlib.Path('data/demo')
_DEMO_PRUNED = DEMO.with_name('demo-pruned')
_announced = set()


def newest(pattern, option):
    """The newest result in a run folder that matches, else the pretrained one.

    A run that nobody has named is announced once, on stderr, with the option that names another.
    Raises UserError if there is nothing.
    """
    found = list(RUNS.glob('*/' + pattern)) or list(PRETRAINED.glob('*/' + pattern))
    if not found:
        raise UserError('nothing is trained yet; type: make train-stylegan train-gpt2')
    path = max(found, key=lambda path: (path.stat().st_mtime, path.name))
    if not pretrained(path) and path not in _announced:
        _announced.add(path)
        run = RUNS / path.relative_to(RUNS).parts[0]
        print(files.printable(f'no {option} given, so the newest run is used: {run}'),
              file=sys.stderr)
    return path


def pretrained(path):
    """Whether a file came with the project; what came together goes together."""
    return PRETRAINED.resolve() in pathlib.Path(path).resolve().parents


def stylegan(options):
    """The snapshot, pickle or run folder of the StyleGAN network to use."""
    return options.stylegan or newest('network-snapshot-*.npz', '--stylegan')


def _demo_only(options, path, option, training):
    """`path` of a model; announced once where it knows the demo alone and the images are of another
    network, which is there."""
    images = stylegan(options) if 'stylegan' in options else PRETRAINED / 'stylegan'
    if pretrained(path) and not pretrained(images) and images.exists() and path not in _announced:
        _announced.add(path)
        print(f'no {option} given, so the pretrained one is used, which knows the demo alone; to '
              f'train another: python run.py {training}', file=sys.stderr)
    return path


def gpt2(options):
    """The folder of the text model to use."""
    return options.gpt2 or _demo_only(options, newest('snapshot/hparams.json', '--gpt2').parent,
                                      '--gpt2', 'train-gpt2')


def tagger(options):
    """The file of the image tagger to use; the text tagger lies beside it."""
    if not options.tagger and pretrained(stylegan(options)):
        return PRETRAINED / 'tagger' / 'tagger.npz'
    if not options.tagger:
        return _demo_only(options, newest('tagger.npz', '--tagger'), '--tagger', 'train-tagger')
    return options.tagger / 'tagger.npz' if options.tagger.is_dir() else options.tagger


def lookalikes(options, gan, image_tagger):
    """The Lookalikes beside a generator, if its training set has categories that the tagger does
    not know and no tagger is named; else None."""
    from tagger.lookalikes import Lookalikes
    path = gan.path.parent / 'lookalikes.npz'
    if options.tagger or not path.exists():
        return None
    library = Lookalikes(path)
    known = image_tagger.heads.get('category', ())
    return library if library.categories() - set(known) else None


def judge(options, threads):
    """The second image tagger, or None where none is given and none is pretrained."""
    from tagger.image_tagger import ImageTagger
    path = options.judge or PRETRAINED / 'tagger' / 'judge.npz'
    return ImageTagger(path, threads) if options.judge or path.exists() else None


def demo_drawn():
    """The folder of the demo catalogue, drawn on first use."""
    from catalog.demo import build
    if not (DEMO / 'products.csv').exists():
        with lock.folder(DEMO, wait=True):
            if not (DEMO / 'products.csv').exists():  # else another process has drawn it meanwhile
                print(f'no --data given, so the demo catalogue is drawn into {DEMO}')
                print(build.summary(build.write(DEMO)))
    return DEMO


def demo_is_there():
    """Whether the demo catalogue is drawn and pruned."""
    return (_DEMO_PRUNED / 'prune.csv').exists()


def demo_pruned():
    """The folder of the demo catalogue as pruned with the default thresholds, on first use."""
    from catalog.prune.rules import Prune, prune, summary
    data = demo_drawn()
    if not demo_is_there():
        with lock.folder(_DEMO_PRUNED, wait=True):
            if not demo_is_there():
                print(summary(prune(data, _DEMO_PRUNED, Prune())))
    return _DEMO_PRUNED


def pictured(path=None, key_column=''):
    """The products with an image, without the pruned ones: of the catalogue at `path`, or of
    the demo. Raises UserError."""
    from catalog import source
    path = path or demo_pruned()
    source.check_pictures(path)
    return source.with_pictures(source.read_kept(path, key_column=key_column), path)


def training_folder(gan):
    """The folder of TFRecords that a run was trained on, there or not; None: it tells of none."""
    from dnnlib import runs
    folder, about = gan.path.parent / 'records', gan.path.parent / 'options.json'
    if not folder.exists() and about.exists():  # a training with --records has none of its own
        return pathlib.Path(runs.read_options(gan.path.parent)[1].get('records', folder))
    return folder if folder.exists() else None


def training_records(gan):
    """The Records that a generator was trained on, or None where that is unknown."""
    from stylegan import dataset
    folder = training_folder(gan)
    if pretrained(gan.path):  # trained on the demo
        folder = DEMO.with_name(f'demo-records-{gan.res}')
        if not folder.exists():
            print('finding the nearest training images needs the demo catalogue; --neighbours 0 '
                  'leaves them out')
            dataset.pack([p.image for p in pictured()], folder, gan.res)
    return dataset.Records(folder) if folder and folder.is_dir() else None


def sizes(products):
    """The size of each product's image file in bytes, None for one that is missing."""
    return [os.path.getsize(str(p.image)) if p.image and os.path.exists(str(p.image)) else None
            for p in products]


def fingerprint(parts):
    """12 hexadecimal digits that tell one list of facts from another."""
    return hashlib.sha256(repr(list(parts)).encode('utf-8')).hexdigest()[:12]
