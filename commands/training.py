"""Training: StyleGAN, GPT-2 and the taggers. Running a command again resumes its training."""

import dataclasses
import pathlib

from commands import inputs
from commands import options as common
from commands.inputs import PRETRAINED, RUNS
from dnnlib import knobs
from dnnlib.files import UserError

_FEW = 100  # photos, below which the discriminator soon knows each of them


def _data_and_run(parser, name):
    common.data(parser, 'a catalogue, pruned or not (default: the demo, drawn on first use)')
    parser.add_argument('--run', type=common.folder, default=RUNS / name,
                        help=f'folder of this training (default {RUNS / name})')


def _preset_and_knobs(parser, config, skip=()):
    """--preset, and the knobs of config.Network and config.Training that it sets."""
    default, *others = config.PRESETS
    parser.add_argument('--preset', choices=[default] + others, default=default,
                        help=f'defaults of the options below (default {default})')
    networks, trainings = [{name: preset[part] for name, preset in config.PRESETS.items()}
                           for part in (0, 1)]
    knobs.add_flags(parser.add_argument_group('network'), config.Network, skip, networks)
    knobs.add_flags(parser.add_argument_group('training'), config.Training, (), trainings)


def _from_preset(config, options):
    """The preset's Network and Training with the typed options laid over them."""
    network, training = config.PRESETS[options.preset]
    return knobs.from_flags(network, options), knobs.from_flags(training, options)


def _run(options, network, training, free, formerly=None, packed=None, **more):
    """The run folder of a training; refuses one that was made with other options.

    more: what else decides the result, inputs by what they hold; where they lie is noted besides.
    formerly: what an earlier version noted for them, beside the paths of those that are files.
    packed: see dnnlib.runs.Run.
    """
    from dnnlib.runs import Run
    decided, defaults = [dict(dataclasses.asdict(a), **dataclasses.asdict(b)) for a, b in (
        (network, training), (type(network)(), type(training)()))]
    paths = {name: value.resolve() for name, value in vars(options).items()
             if isinstance(value, pathlib.Path) and name != 'run' and value.exists()}
    typed = {name: str(getattr(options, name)) for name in paths}
    return Run(options.run, dict(more, **decided), free, defaults, paths,
               dict(typed, **(formerly or {})), packed)


def train_stylegan_options(parser):
    """What `train-stylegan` takes."""
    from stylegan import config
    common.fit(parser)
    parser.add_argument('--records', type=common.path,
                        help='a multi-resolution TFRecord set to train on instead of the photos')
    parser.add_argument('--start', type=common.path, help='networks to start from, at full '
                        'resolution: a run folder, the last snapshot of a run, a released .pkl or '
                        'a converted .npz; none: random weights (default: the pretrained network '
                        'for the demo preset, unless --initial or an option of the network says '
                        'otherwise; else none)')
    parser.add_argument('--dry-run', action='store_true', help='take a few real steps at full '
                        'size, report what a whole run would need, and stop')
    _data_and_run(parser, 'stylegan')
    _preset_and_knobs(parser, config, config.NOT_TRAINED)


def train_stylegan(options):
    """Train StyleGAN on a catalogue's photos; run it again to resume."""
    from dnnlib import parallel
    from stylegan import config, dataset, preflight, train
    common.check_records(options)
    network, training, start, notice = _networks(config, options)
    train.check(network, training)
    _tell(_ends_growing(network, training))
    if options.dry_run:
        if parallel.size > 1:
            raise UserError('--dry-run is for one process; run it without TF_CONFIG')
        _tell(notice)
        known = not options.records and (options.data or inputs.demo_is_there())
        photos = len(inputs.pictured(options.data)) if known else 0
        print(preflight.report(preflight.preflight(
            network, training, start, dataset.packed_bytes(photos, network.resolution))))
        return
    decided = {'start': _noted_start(options, start)}
    if options.records:
        records = dataset.Records(options.records, training.seed)
        run = _run(options, network, training, config.FREE, {'data': str(options.records)}, (),
                   data=records.digest(), **decided)
        _tell(notice)
        train.train(run, records, network, training, start)
    else:
        products = inputs.pictured(options.data)
        names = inputs.fingerprint(p.name for p in products)
        run = _run(options, network, training, config.FREE, {'data': names},
                   ('data', 'fit', 'resolution'), fit=options.fit,
                   data=inputs.fingerprint(
                       zip((p.name for p in products), inputs.sizes(products))), **decided)
        _tell(notice)
        with run.writing():
            if parallel.rank == 0:
                _pack(products, run.folder, network, options.fit)
            parallel.from_first()  # has packed
            records = dataset.Records(run.folder / 'records', training.seed)
            if records.count < _FEW:
                _tell(f'{records.count} photos are few: expect copies of them; give {_FEW} or more '
                      'for new products')
            train.train(run, records, network, training, start)
    print(f'done: sample grids and snapshots are in {run.folder}; now try: python run.py samples')


def _tell(notice):
    """Print a notice, if there is one, once all input is checked; of several workers, one does."""
    from dnnlib import parallel
    if notice and parallel.rank == 0:
        print(notice)


def _pack(products, folder, network, fit):
    """Write the photos, and thumbnails with their categories, into the folder of a run."""
    from stylegan import dataset
    from tagger import lookalikes
    if not (folder / 'records').exists():
        dataset.pack([p.image for p in products], folder / 'records', network.resolution, fit)
    lookalikes.write(folder / 'lookalikes.npz', products, fit=fit)


def _flag(name):
    return '--' + name.replace('_', '-')


def _begun(options):
    """The options that the run folder was begun with; {} for a new one."""
    from dnnlib import runs
    return runs.read_options(options.run)[0] if (options.run / 'options.json').exists() else {}


def _ends_growing(network, training):
    """What the user is told if a training is over before the network has grown, or ''."""
    from stylegan import schedule
    end = schedule.position(training.kimg * 1000, network, training)
    if end.lod == 0:
        return ''
    begin = schedule.position(0, network, training)
    needed = begin.lod * (training.hold_kimg + training.fade_kimg)
    return (f'--kimg {training.kimg:g} ends at {end.resolution} of {network.resolution} px; to '
            f'grow to the end, type --kimg {needed:g}, or begin larger with --initial')


def _start(options):
    """The path of the networks to start from, or None: --start, or the pretrained ones."""
    if options.start is not None:
        return None if str(options.start) == 'none' else options.start
    if options.preset != 'demo' or options.initial is not None:
        return None
    begun = _begun(options)
    if begun and not begun.get('start'):
        return None  # a run resumes from what it began with
    return next(iter(sorted((PRETRAINED / 'stylegan').glob('*.npz'))), None)


def _resumed(options):
    """The options of a run that has a checkpoint and is resumed without --start; else {}.

    It needs the weights that it started from no longer. So one that began from the pretrained
    network goes on when a later version brings another.
    """
    saved = options.start is None and (options.run / 'checkpoint.json').exists()
    return _begun(options) if saved else {}


def _noted_start(options, start):
    """What a run folder notes of the weights to start from: their digest; '' for random ones."""
    from dnnlib import archive
    return (_resumed(options).get('start') or archive.digest(start)) if start else ''


def _unlike(network, options):
    """A typed option that weights of this Network do not agree with, as in 'has --fmap-max 96, not
    5', or ''."""
    for name, value in dataclasses.asdict(network).items():
        typed = getattr(options, name, None)
        if typed is not None and typed != value:
            return f'has {_flag(name)} {value}, not {typed}'
    return ''


def _networks(config, options):
    """Network, Training, the weights to start from or None, which decide the Network, and a notice
    for the user where these are the pretrained ones, or '': see `_tell`."""
    network, training = _from_preset(config, options)
    if config.PRESETS[options.preset][0].resolution == training.initial and options.initial is None:
        training = dataclasses.replace(training, initial=network.resolution)  # it does not grow
    path = _start(options)
    if path is None:
        return network, training, None, ''
    from stylegan import snapshots
    try:
        start, started = snapshots.load_all(path)
    except UserError:
        if options.start is not None:
            raise
        return network, training, None, ''  # pretrained/ has a generator alone
    notice, unlike, resumed = '', _unlike(started, options), _resumed(options)
    if options.start is None:
        if unlike:
            return network, training, None, f'starting from random weights: {path.name} {unlike}'
        if not resumed:
            notice = f'starting from {path.name}; --start none starts from random weights'
    elif unlike:
        raise UserError(f'{path} {unlike}; leave that option out')
    network = knobs.from_flags(snapshots.network_of(resumed) if resumed else started, options)
    if options.initial is None:  # nothing is left to fade in
        training = dataclasses.replace(training, initial=network.resolution)
    elif f'D/{training.initial}x{training.initial}/FromRGB/weight' not in start:
        raise UserError(f'{path} has no layers to begin at {training.initial} px with; leave '
                        '--initial out')
    return network, training, start, notice


def train_gpt2_options(parser):
    """What `train-gpt2` takes."""
    from gpt2 import config
    parser.add_argument('--text-column', default='description', help='column of the texts in '
                        'a .csv or .jsonl file')
    parser.add_argument('--tag-columns', default='', help='columns that go in front of a text as '
                        'tags, comma-separated')
    common.key_column(parser, 'held out')
    parser.add_argument('--start', type=common.path, help='folder of a model to start from')
    parser.add_argument('--vocabulary', type=common.path, metavar='FOLDER', help='take the '
                        'vocabulary of this folder, encoder.json and vocab.bpe, and start from '
                        'fresh weights (default: a vocabulary is trained on the texts)')
    _data_and_run(parser, 'gpt2')
    _preset_and_knobs(parser, config)


def train_gpt2(options):
    """Train or fine-tune GPT-2 on a catalogue's descriptions; run it again to resume."""
    from dnnlib import archive
    from gpt2 import config, encoder, snapshots, train
    network, training = _from_preset(config, options)
    if options.start and options.vocabulary:
        raise UserError('--start brings a vocabulary of its own; leave --vocabulary out')
    start = snapshots.read(options.start) if options.start else None
    if start and _unlike(start.network, options):
        raise UserError(f'{options.start} {_unlike(start.network, options)}; leave that option out')
    vocabulary = encoder.load(options.vocabulary) if options.vocabulary else None
    train.check(start.network if start else network, training)
    products, data = _texts(options, start.encoder if start else vocabulary)
    run = _run(options, network, training, config.FREE, data=data,
               packed=('data', 'start', 'vocabulary', 'n_vocab', 'held_out', 'seed'),
               start=archive.digest(start.weights) if start else '',
               vocabulary=vocabulary.digest() if vocabulary else '')
    train.train(run, products, network, training, start, vocabulary)
    print(f'done: the best weights are in {run.folder}; now try: python run.py text')


def _texts(options, vocabulary):
    """The training set of a text model, products or encoded documents, and its fingerprint.

    vocabulary: gpt2.encoder.Encoder, or None if one will be trained.
    """
    from catalog import source
    from gpt2.data import read
    data = options.data or inputs.demo_drawn()
    tag_columns = common.listed(options.tag_columns)
    if data.suffix.lower() != '.npz':
        products = source.with_texts(source.read(
            data, text_column=options.text_column, tag_columns=tag_columns,
            key_column=options.key_column), data)
        return products, inputs.fingerprint((p.description, p.tags, p.key) for p in products)
    if not vocabulary or tag_columns or options.key_column:
        raise UserError(f'{data} is already encoded: it needs --start, the model that has its '
                        'vocabulary, or --vocabulary, and has no columns')
    documents = read(data, vocabulary)
    return documents, inputs.fingerprint(document.key for document in documents)


def train_tagger_options(parser):
    """What `train-tagger` takes."""
    from tagger.config import Config, Split
    _data_and_run(parser, 'tagger')
    parser.add_argument('--test', type=common.path, help='another catalogue to report on '
                        '(default: products held out of this one)')
    common.key_column(parser, 'held out')
    common.fit(parser)
    knobs.add_flags(parser, Split)
    knobs.add_flags(parser, Config)


def train_tagger(options):
    """Train classifiers of category and attributes on images and texts; run it again to resume."""
    from catalog import source
    from dnnlib import parallel, runs
    from tagger import train
    from tagger.config import Config, Split
    if parallel.size > 1:
        raise UserError('train-tagger is for one process; run it without TF_CONFIG')
    config, split = [knobs.from_flags(each(), options) for each in (Config, Split)]
    test = source.read_kept(options.test, key_column=options.key_column) if options.test else ()
    products = source.read_kept(options.data or inputs.demo_pruned(),
                                key_column=options.key_column)
    facts = [(p.name, p.description, p.category, p.attributes) for p in products]
    run = _run(options, config, split, ('threads',), {'data': inputs.fingerprint(facts)}, (),
               fit=options.fit, data=inputs.fingerprint(zip(facts, inputs.sizes(products))))
    print(train.train(run, products, config, split, runs.provenance(), test=test, fit=options.fit))
    print(f'done: the taggers are in {run.folder}; now try: python run.py cards')
