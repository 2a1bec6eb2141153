"""Which model a command uses, what that was trained on, and short fingerprints of both."""

import hashlib
import pathlib

from dnnlib import files, model_lookup


def stylegan(options):
    """The snapshot, pickle or run folder of the picture model to use."""
    return options.stylegan or model_lookup.newest('network-snapshot-*.npz')


def gpt2(options):
    """The folder of the text model to use."""
    return options.gpt2 or model_lookup.newest('snapshot/hparams.json').parent


def tagger(options):
    """The file of the picture tagger to use; the text tagger lies beside it."""
    if not options.tagger and model_lookup.shipped(stylegan(options)):
        return model_lookup.PRETRAINED / 'tagger' / 'tagger.npz'
    path = options.tagger or model_lookup.newest('tagger.npz')
    return path / 'tagger.npz' if path.is_dir() else path


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
    """The second image tagger, or None where none is given and none is shipped."""
    from tagger.image_tagger import ImageTagger
    path = options.judge or model_lookup.PRETRAINED / 'tagger' / 'judge.npz'
    return ImageTagger(path, threads) if options.judge or path.exists() else None


def training_records(gan):
    """The Records that a generator was trained on, or None where nothing tells which."""
    from catalog import demo_default
    from stylegan import dataset
    folder, about = gan.path.parent / 'records', gan.path.parent / 'options.json'
    if model_lookup.shipped(gan.path):  # it has learnt from the demo
        folder = demo_default.FOLDER.with_name(f'demo-records-{gan.res}')
        if not folder.exists():
            print('the training pictures nearest to each product are sought in the demo catalogue; '
                  '--neighbours 0 does without')
            dataset.pack([p.image for p in demo_default.pictured()], folder, gan.res)
    elif not folder.exists() and about.exists():  # a training with --records has none of its own
        folder = pathlib.Path(files.read_json(about).get('paths', {}).get('records', folder))
    return dataset.Records(folder) if folder.is_dir() else None


def fingerprint(parts):
    """12 hexadecimal digits that tell one list of facts from another."""
    return hashlib.sha256(repr(list(parts)).encode('utf-8')).hexdigest()[:12]
