#!/usr/bin/env python3
"""Make fake products: prune photos, train StyleGAN on them, fine-tune GPT-2 on their descriptions.

Read this file from top to bottom as the story of the project: each command is one function, which
takes its options, calls the rooms that do the work, and says where the result lies.
"""

import argparse
import dataclasses
import hashlib
import pathlib
import sys

from dnnlib import files, knobs
from dnnlib.files import UserError

DEMO = pathlib.Path('data/demo')
RUNS = pathlib.Path('runs')
PRETRAINED = pathlib.Path(__file__).parent / 'pretrained'
DOWNLOADS = pathlib.Path('downloads')
MANIFEST = pathlib.Path(__file__).parent / 'downloads.json'


# --- The commands, in the order of the story.

def demo(options):
    """Draw the demo catalogue: garments with descriptions, seeded, no network needed."""
    from catalog.demo import Demo, summary, write
    print(summary(write(options.out, knobs.from_flags(Demo(), options))))


def download(options):
    """Download released weights and public data, verified; the same command again goes on."""
    from dnnlib import manifest
    from stylegan import pickles
    known = manifest.read(MANIFEST)
    if options.list:
        print(manifest.table(known))
        return
    items = manifest.choose(known, options.names)
    if options.from_file and len(items) > 1:
        raise UserError('--from-file brings one thing at a time; give one name')
    for item in items:
        check = {'stylegan': pickles.read}.get(item.check)
        for line in manifest.get(item, options.out / item.name, from_file=options.from_file,
                                 check=check):
            print(line)


def convert(options):
    """Turn a released StyleGAN pickle into an .npz; nothing in the pickle is run."""
    from stylegan import released, weights
    if options.npz.suffix != '.npz':
        raise UserError('%s is to hold an .npz; end its name so' % options.npz)
    variables, network, made_with = released.convert(options.pickle)
    res, alpha = released.reached(network, made_with['lod'])
    print(released.describe(options.pickle, variables, network, made_with))
    weights.save(options.npz, variables, network, res=res, alpha=alpha, kimg=None,
                 made={'from': options.pickle.name, 'options': made_with})
    print('done: %s' % options.npz)


def prune(options):
    """Sort out bad shots by the post's four rules; nothing is deleted or moved."""
    from catalog.prune import Prune, prune, summary
    out = options.out or _beside(options.data, '-pruned')
    print(summary(prune(options.data, out, knobs.from_flags(Prune(), options))))
    print('look through %s; where you disagree, change yes and no in the keep column of %s' % (
        out / 'sheets', out / 'prune.csv'))


def train_stylegan(options):
    """Train StyleGAN on a catalogue's photos; the same command again goes on."""
    from catalog import lookalikes, source
    from stylegan import config, dataset, preflight, train
    network, training, start = _picture_model(config, options)
    train.check(network, training)
    if options.dry_run:
        print(preflight.report(preflight.preflight(network, training, start)))
        return
    decided = {'start': str(options.start or '')}
    if options.records:
        records = dataset.Records(options.records, training.seed)
        run = _run(options, network, training, config.FREE, data=str(options.records), **decided)
    else:
        data = options.data or _demo_pruned()
        products = source.with_pictures(source.read_kept(data), data)
        run = _run(options, network, training, config.FREE, fit=options.fit,
                   data=_digest(p.name for p in products), **decided)
        if not (run.folder / 'records').exists():
            dataset.pack([p.image for p in products], run.folder / 'records', network.resolution,
                         options.fit)
        records = dataset.Records(run.folder / 'records', training.seed)
        lookalikes.write(run.folder / 'lookalikes.npz', products, fit=options.fit)
    train.train(run, records, network, training, start)
    print('done: sample grids and snapshots are in %s; now try: python run.py samples' % run.folder)


def train_gpt2(options):
    """Fine-tune GPT-2 on a catalogue's descriptions; the same command again goes on."""
    from gpt2 import config, train
    network, training = _configured(config, options)
    products, data = _texts(options)
    run = _run(options, network, training, config.FREE, start=str(options.start or ''), data=data)
    train.train(run, products, network, training, start=options.start)
    print('done: the best weights are in %s; now try: python run.py text' % run.folder)


def text(options):
    """Write product descriptions, from prompts or from nothing."""
    from catalog import prompts
    from gpt2 import converse, decode, sampling
    how = knobs.from_flags(sampling.Sampling(), options)
    columns = _listed(options.tag_columns)
    if columns and not options.prompts:
        raise UserError('--tag-columns names columns of a table; add --prompts FILE.csv')
    if options.interactive and options.json:
        raise UserError('--json goes with --prompt and --prompts, not with --interactive')
    writer = decode.Writer(_gpt2(options), how.threads)

    def write(asked, seed):
        each = [prompt for prompt in asked for _ in range(options.count)]
        return writer.samples(each, seeds=_seeds(seed, len(each)), sampling=how)
    if options.interactive:
        converse.converse(lambda prompt, seed: decode.report(
            writer.joined(sample) for sample in write([prompt], seed)), how.seed, options.count)
        return
    asked = prompts.read(options.prompts, columns) if options.prompts else [options.prompt]
    samples = write(asked, how.seed)
    if options.json:
        files.write_text(options.json, decode.json_lines(samples))
    print(decode.report(writer.joined(sample) if options.keep_prompt else sample.text
                        for sample in samples), end='')


def export(options):
    """Write a text model for other programs: as GPT-2 was released, or for `transformers`."""
    from gpt2 import export
    export.export(_gpt2(options), options.out, options.to)
    print('done: %s' % options.out)


def check_text(options):
    """Measure a demo text model: are its texts consistent, as asked for, and its own?"""
    from catalog import source, textcheck
    from gpt2 import decode, sampling
    how = knobs.from_flags(sampling.Sampling(), options)
    writer = decode.Writer(_gpt2(options), how.threads)
    known = [product.description for product in source.read(options.data or _demo())]
    print(textcheck.report(
        lambda prompts: writer.texts(prompts, seeds=_seeds(how.seed, len(prompts)), sampling=how),
        known, count=options.count, seed=how.seed))


def samples(options):
    """Make fake products: grids, films, texts and a page that shows them all."""
    from catalog import fakes, lookalikes
    from dnnlib import images, runs, video
    from gpt2 import decode, sampling
    from stylegan import figures, generator
    how = knobs.from_flags(sampling.Sampling(), options)
    gan = generator.Generator(_stylegan(options), how.threads, options.noise)
    writer = decode.Writer(_gpt2(options), how.threads)
    out, psi, seed = options.out, options.psi, how.seed
    seeds = _seeds(seed, options.count)
    images.write_png(out / 'grid.png', figures.grid(gan, range(seed, seed + 40), psi=psi))
    images.write_png(out / 'truncation.png', figures.truncation(gan, range(seed, seed + 4)))
    images.write_png(out / 'mixing.png', figures.mixing(gan, seed, psi=psi))
    video.write_mp4(out / 'walk.mp4', figures.walk(gan, seed, psi=psi))
    video.write_mp4(out / 'mixing.mp4', figures.mixing_walk(gan, seed, psi=psi))
    products = fakes.write(
        out, gan.pictures(gan.truncate(gan.w(gan.seeded(seeds)), psi)), seeds=seeds, psi=psi,
        describe=lookalikes.describer(gan.path.parent / 'lookalikes.npz'),
        write_texts=lambda prompts: writer.texts(
            prompts, seeds=_seeds(seed, len(prompts)), sampling=how))
    texts = writer.texts([''] * options.count, seeds=seeds, sampling=how)
    files.write_text(out / 'descriptions.txt', decode.report(texts))
    fakes.write_page(out, products, texts, facts=dict(
        runs.provenance(), stylegan=str(gan.path), gpt2=str(_gpt2(options)), psi=psi, seed=seed))
    print('done: open %s' % (out / 'index.html'))


def metrics(options):
    """Measure generated pictures against a catalogue's, and show the photos nearest to some."""
    from dnnlib import images
    from stylegan import generator, metrics, path_length
    how = knobs.from_flags(metrics.Metrics(), options)
    gan = generator.Generator(_stylegan(options), how.threads, how.noise)
    features, records = _features(options, how), _records_of(options, how, gan)

    def styles(z):
        return gan.truncate(gan.w(z), how.psi)
    count = min(how.count, records.count)
    reals = records.batch(0, count, gan.res, mirror=how.mirror)
    seeds = range(how.seed, how.seed + count // 2)
    fakes = gan.pictures(styles(gan.seeded(seeds)))
    result = metrics.measure(reals, fakes, seed=how.seed, features=features)
    if how.path_length:
        name = 'path_length' if features else 'path_length_pixels'
        result['figures'][name] = {'value': path_length.path_length(
            styles, gan.images, features or path_length.pixels, latent_size=gan.latent_size,
            count=how.path_length, seed=how.seed)}
    result['of'] = dict(dataclasses.asdict(how), stylegan=str(gan.path))
    files.write_json(options.out / 'metrics.json', result)
    images.write_png(options.out / 'neighbours.png', metrics.neighbours(
        fakes[:8], lambda first, number: records.batch(first, number, gan.res), records.count,
        features=features))
    print(metrics.report(result))
    print('done: open %s' % (options.out / 'neighbours.png'))


# --- What several commands need.

def _demo():
    """The demo catalogue's folder; drawn on first use."""
    from catalog.demo import summary, write
    if not (DEMO / 'products.csv').exists():
        print('no --data given, so the demo catalogue is drawn in %s' % DEMO)
        print(summary(write(DEMO)))
    return DEMO


def _demo_pruned():
    """The demo catalogue as pruned with the default thresholds; made on first use."""
    from catalog.prune import Prune, prune, summary
    data, out = _demo(), _beside(DEMO, '-pruned')
    if not (out / 'prune.csv').exists():
        print(summary(prune(data, out, Prune())))
    return out


def _beside(folder, ending):
    return folder.with_name(folder.name + ending)


def _listed(text):
    return tuple(part.strip() for part in text.split(',') if part.strip())


def _digest(parts):
    """A short fingerprint of a catalogue, so that a run is not continued on another one."""
    return hashlib.sha256(repr(list(parts)).encode('utf-8')).hexdigest()[:12]


def _configured(config, options):
    """The preset's network and training records with the typed flags laid over them."""
    network, training = config.PRESETS[options.preset]
    return knobs.from_flags(network, options), knobs.from_flags(training, options)


def _picture_model(config, options):
    """As `_configured`, and the weights to start from, or None; those decide their own network."""
    network, training = _configured(config, options)
    if not options.start:
        return network, training, None
    from stylegan import transfer
    start, network = transfer.read(options.start)
    asked = knobs.from_flags(network, options)
    for name, value in dataclasses.asdict(network).items():
        if getattr(asked, name) != value:
            raise UserError('%s has %s %s, not %s; leave --%s out' % (
                options.start, name, value, getattr(asked, name), name.replace('_', '-')))
    if options.initial is None:  # nothing is left to fade in
        training = dataclasses.replace(training, initial=network.resolution)
    return network, training, start


def _texts(options):
    """What a text model is to learn from, products or encoded documents, and its fingerprint."""
    from catalog import source
    from gpt2 import dataset, encoder, weights
    data, tag_columns = options.data or _demo(), _listed(options.tag_columns)
    if data.suffix.lower() != '.npz':
        products = source.with_texts(source.read(
            data, text_column=options.text_column, tag_columns=tag_columns,
            key_column=options.key_column), data)
        return products, _digest((p.description, p.tags, p.key) for p in products)
    if not options.start or tag_columns or options.key_column:
        raise UserError('%s is already encoded: it needs --start, the model that has its '
                        'vocabulary, and has no columns' % data)
    documents = dataset.read(data, encoder.load(weights.find(options.start)))
    return documents, _digest(document.key for document in documents)


def _run(options, network, training, free, **more):
    """The run folder of a training; refuses one that was made with other options."""
    from dnnlib.runs import Run
    decided = dict(more, **dataclasses.asdict(network))
    decided.update(dataclasses.asdict(training))
    return Run(options.run, decided, free)


def _newest(pattern):
    """The newest trained result under runs/ that matches, else the pretrained one."""
    found = list(RUNS.glob('*/' + pattern)) or list(PRETRAINED.glob('*/' + pattern))
    if not found:
        raise UserError('nothing is trained yet; type: make train-stylegan train-gpt2')
    return max(found, key=lambda path: (path.stat().st_mtime, path.name))


def _features(options, how):
    """The function pictures -> features that was asked for, or None."""
    if how.features == 'swd':
        return None
    if not options.inception:
        raise UserError('--features inception needs --inception PATH, a frozen graph such as '
                        'classify_image_graph_def.pb')
    from stylegan.inception import Inception
    return Inception(options.inception, threads=how.threads)


def _records_of(options, how, gan):
    """The real pictures to measure against: those given, else those the generator learnt from."""
    from catalog import source
    from stylegan import dataset
    own = gan.path.parent / 'records'
    folder = options.records or own
    if options.data or not folder.exists():
        data = options.data or _demo_pruned()
        products = source.with_pictures(source.read_kept(data), data)
        folder = options.out / ('records-' + _digest(
            [gan.res, options.fit] + [product.name for product in products]))
        if not folder.exists():
            dataset.pack([product.image for product in products], folder, gan.res, options.fit)
    records = dataset.Records(folder, how.seed)
    if records.resolution < gan.res:
        raise UserError('%s was packed at %d px, the generator draws %d px; give the photos with '
                        '--data' % (folder, records.resolution, gan.res))
    return records


def _stylegan(options):
    """The snapshot, pickle or run folder of the picture model to use."""
    return options.stylegan or _newest('network-snapshot-*.npz')


def _gpt2(options):
    """The folder of the text model to use."""
    return options.gpt2 or _newest('snapshot/hparams.json').parent


def _seeds(first, count):
    """One seed per text; behind the last one they go on from 0."""
    return [(first + i) % 2 ** 32 for i in range(count)]


# --- The command line.

class _Parser(argparse.ArgumentParser):
    """Mistyped commands and options are reported like every other mistake."""

    def error(self, message):
        raise UserError('%s; see: python %s --help' % (message, self.prog))


def _parser():
    """Every command with its options; those of dataclasses are generated from their knobs."""
    parser = _Parser(description=__doc__.split('\n')[0], allow_abbrev=False)
    commands = parser.add_subparsers(metavar='COMMAND', dest='command')
    commands.required = True

    def command(function, *groups):
        name = function.__name__.replace('_', '-')
        added = commands.add_parser(name, help=function.__doc__, description=function.__doc__,
                                    allow_abbrev=False)
        added.set_defaults(function=function)
        for add in groups:
            add(added)
    command(demo, _demo_flags)
    command(download, _download_flags)
    command(convert, _convert_flags)
    command(prune, _prune_flags)
    command(train_stylegan, _stylegan_flags)
    command(train_gpt2, _gpt2_flags)
    command(samples, _stylegan_flag, _samples_flags, _sampling_flags)
    command(text, _text_flags, _sampling_flags)
    command(export, _gpt2_flag, _export_flags)
    command(check_text, _check_flags, _sampling_flags)
    command(metrics, _stylegan_flag, _metrics_flags)
    return parser


def _demo_flags(parser):
    from catalog.demo import Demo
    parser.add_argument('--out', type=pathlib.Path, default=DEMO, help='folder to draw it in')
    knobs.add_flags(parser, Demo)


def _download_flags(parser):
    parser.add_argument('names', nargs='*', metavar='NAME', help='what to download; see --list')
    parser.add_argument('--list', action='store_true', help='print what there is, and its licences')
    parser.add_argument('--from-file', type=pathlib.Path, metavar='PATH', help='take the file, or '
                        'the folder of files, that a browser has saved')
    parser.add_argument('--out', type=pathlib.Path, default=DOWNLOADS, help='folder in which each '
                        'NAME gets its own (default %s)' % DOWNLOADS)


def _convert_flags(parser):
    parser.add_argument('pickle', type=pathlib.Path, metavar='IN.pkl', help='a released network')
    parser.add_argument('npz', type=pathlib.Path, metavar='OUT.npz', help='file to write')


def _prune_flags(parser):
    from catalog.prune import Prune
    parser.add_argument('--data', type=pathlib.Path, required=True, help='the catalogue')
    parser.add_argument('--out', type=pathlib.Path, help='folder of the decisions '
                        '(default: that of the catalogue with -pruned behind it)')
    knobs.add_flags(parser, Prune)


def _training_flags(parser, config, run, skip=()):
    parser.add_argument('--data', type=pathlib.Path, help='a catalogue, pruned or not '
                        '(default: the demo, drawn on first use)')
    parser.add_argument('--run', type=pathlib.Path, default=RUNS / run,
                        help='folder of this training (default %s)' % (RUNS / run))
    parser.add_argument('--preset', choices=sorted(config.PRESETS), default='demo',
                        help='defaults of the options below (default demo)')
    knobs.add_flags(parser.add_argument_group('network'), config.Network, skip)
    knobs.add_flags(parser.add_argument_group('training'), config.Training)


def _fit_flag(parser):
    parser.add_argument('--fit', choices=['pad', 'crop'], default='pad',
                        help='make photos square by white borders or by cutting (default pad)')


def _stylegan_flags(parser):
    from stylegan import config
    _fit_flag(parser)
    parser.add_argument('--records', type=pathlib.Path,
                        help='a multi-resolution TFRecord set to train on instead of the photos')
    parser.add_argument('--start', type=pathlib.Path, help='networks to start from, at full size '
                        'at once: a run folder, a released .pkl or a converted .npz')
    parser.add_argument('--dry-run', action='store_true', help='take one real step at full size, '
                        'say what a whole run would take, and stop')
    _training_flags(parser, config, 'stylegan', config.NOT_TRAINED)


def _gpt2_flags(parser):
    from gpt2 import config
    parser.add_argument('--text-column', default='description', help='column of the texts in '
                        'a .csv or .jsonl file')
    parser.add_argument('--tag-columns', default='', help='columns that go in front of a text as '
                        'tags, comma-separated')
    parser.add_argument('--key-column', default='', help='column that tells products apart: its '
                        'equals are held out together')
    parser.add_argument('--start', type=pathlib.Path, help='folder of a model to start from')
    _training_flags(parser, config, 'gpt2')


def _gpt2_flag(parser):
    parser.add_argument('--gpt2', type=pathlib.Path, help='text model: a run or snapshot folder, '
                        'or one in the layout of the release or of transformers (default: the '
                        'newest run, else the pretrained one)')


def _export_flags(parser):
    parser.add_argument('--to', choices=['released', 'transformers'], required=True,
                        help='for which programs')
    parser.add_argument('--out', type=pathlib.Path, required=True, help='new folder to write')


def _sampling_flags(parser):
    from gpt2.sampling import Sampling
    _gpt2_flag(parser)
    knobs.add_flags(parser.add_argument_group('writing'), Sampling)


def _text_flags(parser):
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument('--prompt', '--context', default='', help='attributes in plain words, '
                       'category last; or the first words, for a model trained without tags')
    asked.add_argument('--prompts', type=pathlib.Path, metavar='FILE', help='prompts, one a line; '
                       'or a .csv with --tag-columns, one a row')
    asked.add_argument('--interactive', action='store_true', help='ask for prompt after prompt; '
                       'an empty line ends it')
    parser.add_argument('--tag-columns', default='', help='columns of --prompts that make a '
                        'prompt, comma-separated, category last')
    parser.add_argument('--count', type=int, default=4, help='how many texts a prompt (default 4)')
    parser.add_argument('--json', type=pathlib.Path, metavar='OUT.jsonl', help='also write prompt, '
                        'text, seed, finish, tokens and log-probability, one sample a line')
    parser.add_argument('--keep-prompt', action='store_true', help='print the prompt as well')


def _check_flags(parser):
    parser.add_argument('--data', type=pathlib.Path, help='the catalogue it was trained on')
    parser.add_argument('--count', type=int, default=200, help='texts per test (default 200)')


def _stylegan_flag(parser):
    parser.add_argument('--stylegan', type=pathlib.Path, help='picture model: a run folder, a '
                        'snapshot or a released .pkl (default: the newest run, else the '
                        'pretrained one)')


def _metrics_flags(parser):
    from stylegan.metrics import Metrics
    parser.add_argument('--data', type=pathlib.Path, help='the catalogue to measure against '
                        '(default: what the run was trained on, else the demo)')
    parser.add_argument('--records', type=pathlib.Path,
                        help='a multi-resolution TFRecord set to measure against instead')
    _fit_flag(parser)
    parser.add_argument('--inception', type=pathlib.Path, help='frozen graph for --features '
                        'inception: classify_image_graph_def.pb')
    parser.add_argument('--out', type=pathlib.Path, default=pathlib.Path('out/metrics'),
                        help='folder of the results (default out/metrics)')
    knobs.add_flags(parser, Metrics)


def _samples_flags(parser):
    parser.add_argument('--out', type=pathlib.Path, default=pathlib.Path('out/samples'),
                        help='folder of the results (default out/samples)')
    parser.add_argument('--psi', type=float, default=0.7, help='truncation: 1 = most varied, '
                        '0 = the average product (default 0.7)')
    parser.add_argument('--noise', type=float, default=1.0, help='strength of the noise inputs of '
                        'networks that have any: 1 as trained, 0 smooth (default 1)')
    parser.add_argument('--count', type=int, default=12, help='products and free texts to make '
                        '(default 12)')


def main(arguments):
    """Run one command. Exit code 0: done, 1: the user's mistake, 130: stopped and saved."""
    try:
        options = _parser().parse_args(arguments)
        options.function(options)
    except UserError as error:
        print('error: %s' % error, file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        print('\nstopped. %s' % stop, file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
