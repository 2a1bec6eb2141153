#!/usr/bin/env python3
"""Make fake products: prune photos, train StyleGAN on them, fine-tune GPT-2 on their descriptions.

Read this file from top to bottom as the story of the project: each command is one function, which
takes its options, calls the rooms that do the work, and says where the result lies.
"""

import argparse
import dataclasses
import hashlib
import inspect
import pathlib
import shlex
import sys

from dnnlib import files, knobs, model_lookup
from dnnlib.files import UserError

MANIFEST = pathlib.Path(__file__).parent / 'downloads.json'


# --- The commands, in the order of the story.

def demo(options):
    """Draw the demo catalogue: garments with descriptions, seeded, no network needed."""
    from catalog.demo.build import Demo, summary, write
    print(summary(write(options.out, knobs.from_flags(Demo(), options))))


def download(options):
    """Download released weights and public data, verified; the same command again goes on."""
    from dnnlib.fetch import manifest
    from stylegan.released import pickles
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
    from stylegan import snapshots
    from stylegan.released import names
    if options.npz.suffix != '.npz':
        raise UserError(f'{options.npz} is to hold an .npz; end its name so')
    variables, network, made_with = names.convert(options.pickle)
    res, alpha = names.reached(network, made_with['lod'])
    print(names.describe(options.pickle, variables, network, made_with))
    snapshots.save(options.npz, variables, network, res=res, alpha=alpha, kimg=None,
                 made={'from': options.pickle.name, 'options': made_with})
    print(f'done: {options.npz}')


def prune(options):
    """Sort out bad shots by the post's four rules; nothing is deleted or moved."""
    from catalog.prune.rules import Prune, prune, summary
    out = options.out or options.data.with_name(options.data.name + '-pruned')
    print(summary(prune(options.data, out, knobs.from_flags(Prune(), options))))
    print('look through %s; where you disagree, change yes and no in the keep column of %s' % (
        out / 'sheets', out / 'prune.csv'))


def train_stylegan(options):
    """Train StyleGAN on a catalogue's photos; the same command again goes on."""
    from catalog import demo_default
    from tagger import lookalikes
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
        products = demo_default.pictured(options.data)
        run = _run(options, network, training, config.FREE, fit=options.fit,
                   data=_digest(p.name for p in products), **decided)
        if not (run.folder / 'records').exists():
            dataset.pack([p.image for p in products], run.folder / 'records', network.resolution,
                         options.fit)
        records = dataset.Records(run.folder / 'records', training.seed)
        lookalikes.write(run.folder / 'lookalikes.npz', products, fit=options.fit)
    train.train(run, records, network, training, start)
    print(f'done: sample grids and snapshots are in {run.folder}; now try: python run.py samples')


def train_gpt2(options):
    """Fine-tune GPT-2 on a catalogue's descriptions; the same command again goes on."""
    from gpt2 import config, train
    network, training = _configured(config, options)
    train.check(training)
    products, data = _texts(options)
    run = _run(options, network, training, config.FREE, start=str(options.start or ''),
               vocabulary=str(options.vocabulary or ''), data=data)
    train.train(run, products, network, training, options.start, options.vocabulary)
    print(f'done: the best weights are in {run.folder}; now try: python run.py text')


def train_tagger(options):
    """Train what reads category and attributes off pictures and texts; again goes on."""
    from catalog import demo_default, source
    from tagger import config as tagconfig, train as tagging
    from dnnlib import runs
    config = knobs.from_flags(tagconfig.Config(), options)
    split = knobs.from_flags(tagconfig.Split(), options)
    data = options.data or demo_default.pruned()
    products = source.read_kept(data, key_column=options.key_column)
    test = source.read_kept(options.test, key_column=options.key_column) if options.test else ()
    run = _run(options, config, split, ('threads',), fit=options.fit, data=_digest(
        (p.name, p.description, p.category, p.attributes) for p in products))
    print(tagging.train(run, products, config, split, runs.provenance(), test=test,
                        fit=options.fit))
    print(f'done: the taggers are in {run.folder}; now try: python run.py cards')


def text(options):
    """Write product descriptions, from prompts or from nothing."""
    from catalog import prompts
    from gpt2 import config, write
    how = knobs.from_flags(config.Sampling(), options)
    columns = _listed(options.tag_columns)
    if columns and not options.prompts:
        raise UserError('--tag-columns names columns of a table; add --prompts FILE.csv')
    if options.interactive and options.json:
        raise UserError('--json goes with --prompt and --prompts, not with --interactive')
    writer = write.Writer(_gpt2(options), how.threads)

    def written(asked, seed):
        each = [prompt for prompt in asked for _ in range(options.count)]
        return writer.samples(each, seeds=_seeds(seed, len(each)), sampling=how)
    if options.interactive:
        write.converse(lambda prompt, seed: write.report(
            writer.joined(sample) for sample in written([prompt], seed)), how.seed, options.count)
        return
    asked = prompts.read(options.prompts, columns) if options.prompts else [options.prompt]
    samples = written(asked, how.seed)
    if options.json:
        files.write_text(options.json, write.json_lines(samples))
    print(write.report(writer.joined(sample) if options.keep_prompt else sample.text
                        for sample in samples), end='')


def export(options):
    """Write a text model for other programs: as GPT-2 was released, or for `transformers`."""
    from gpt2 import formats
    formats.export(_gpt2(options), options.out, options.to)
    print(f'done: {options.out}')


def check_text(options):
    """Measure a demo text model: are its texts consistent, as asked for, and its own?"""
    from catalog import demo_default, source
    from catalog.demo import text_check
    from gpt2 import config, write
    how = knobs.from_flags(config.Sampling(), options)
    writer = write.Writer(_gpt2(options), how.threads)
    known = [product.description for product in source.read(options.data or demo_default.drawn())]
    print(text_check.report(
        lambda prompts: writer.texts(prompts, seeds=_seeds(how.seed, len(prompts)), sampling=how),
        known, count=options.count, seed=how.seed))


def samples(options):
    """Make fake products: grids, films, texts and a page that shows them all."""
    from dnnlib import images, runs, video
    from gpt2 import config, write
    from stylegan import figures, generator
    how = knobs.from_flags(config.Sampling(), options)
    gan = generator.Generator(_stylegan(options), how.threads, options.noise)
    writer = write.Writer(_gpt2(options), how.threads)
    out, psi, seed = options.out, options.psi, how.seed
    sheet = runs.origin_of(stylegan=gan.path.name, seed=seed, psi=psi)
    images.write_png(out / 'grid.png', figures.grid(gan, range(seed, seed + 40), psi=psi), sheet)
    images.write_png(out / 'truncation.png', figures.truncation(gan, range(seed, seed + 4)),
                     dict(sheet, psi='1 to -1'))
    images.write_png(out / 'mixing.png', figures.mixing(gan, seed, psi=psi), sheet)
    films = {'walk': figures.walk, 'mixing': figures.mixing_walk}
    for name, frames in films.items():
        video.write_mp4(out / (name + '.mp4'), frames(gan, seed, psi=psi, frames=options.frames),
                        origin=sheet)
    texts = writer.texts([''] * options.count, seeds=_seeds(seed, options.count), sampling=how)
    files.write_text(out / 'descriptions.txt', write.report(texts))
    _products(options, how, gan, writer, texts)


def cards(options):
    """Make fake products alone: pictures, what they show, texts that fit, and their page."""
    from gpt2 import config, write
    from stylegan import generator
    how = knobs.from_flags(config.Sampling(), options)
    gan = generator.Generator(_stylegan(options), how.threads, options.noise)
    _products(options, how, gan, write.Writer(_gpt2(options), how.threads))


def rare(options):
    """Make many products of a rare class: search once for where it lies, then draw from there."""
    from rare import report
    from tagger import image_tagger
    from gpt2 import config, write
    from stylegan import generator, labelled
    from rare import region as rares
    how, writing = [knobs.from_flags(each, options) for each in (rares.Rare(), config.Sampling())]
    gan = generator.Generator(_stylegan(options), how.threads)
    eye = image_tagger.Tagger(_tagger(options), how.threads)
    asked = report.wanted(eye.heads, options.category, options.where)
    writer = write.Writer(_gpt2(options), writing.threads)
    harvests, measure = _harvests(options, how, gan, eye, asked)
    rows = {method: measure(harvest) for method, harvest in harvests.items()}
    if 'shift' in harvests:
        moved = harvests['shift']
        rows['shift']['kept'] = report.kept(eye, asked, gan.pictures(
            labelled.layered(moved.sources, gan.layers)), moved.pictures)
    for method in [method for method in how.methods() if method in harvests]:
        folder = options.out / method if how.method == 'all' else options.out
        _write_rare(options, how, gan, eye, folder, harvests[method], method,
                    writer.retrying(writing))
    files.write_json(options.out / 'rare.json', {
        'asked': asked, 'methods': rows, 'options': dataclasses.asdict(how)})
    files.write_text(options.out / 'rare.txt', report.table(rows) + '\n')
    print(report.table(rows))
    print(f'done: look at sheet.png in {folder}; it is a catalogue, to train on with --data')


def evaluate(options):
    """Measure whether synthetic pictures help a classifier with a rare class; again goes on."""
    from rare import classify, photos, verdict
    from rare import contest as rules
    from dnnlib import images, runs
    from rare import region as rare, search
    from stylegan import generator, labelled
    from stylegan.metrics import measure as metrics
    how = knobs.from_flags(rules.Evaluate(), options)
    gan = generator.Generator(_stylegan(options), how.threads)
    train, test = _contestants(options, how, gan)
    place = photos.known(train.classes, options.category)
    rules.check(train, test, place, how)
    with classify.Classifiers(train.classes, how) as classifiers:
        contest = rules.Contest(options.out, dict(
            how.decisive(), category=options.category, train=train.digest(), test=test.digest()),
                                '%s-psi%g-%d' % (files.digest(gan.path), how.psi, how.pool))

        def pool():
            return contest.kept('pool', how.pool, how.seed, lambda: search.pool(
                gan, how.pool, how.psi, how.seed, lambda pictures: photos.at(pictures, how.side)))
        results, audit = rules.run(
            contest, train, test, place, how, fit=classifiers.fit,
            pool=lambda: pool()['pictures'], synthesise=rare.synthesiser(
                lambda: pool()['w'], lambda w: gan.pictures(labelled.layered(w, gan.layers))))
    figures = verdict.Figures(results, test.labels, train.classes, place, how.bootstrap, how.seed)
    made = contest.kept('pictures', max(figures.counts), how.seed, None)['filtered']
    result = dict(verdict.summary(figures, audit), copies=rules.copies(
        made, train, test, place, lambda some, known: metrics.nearest(
            some, lambda first, number: known[first:first + number], len(known), count=1)[1]))
    files.write_json(options.out / 'evaluate.json', result)
    files.write_text(options.out / 'evaluate.txt', verdict.report(result))
    images.write_png(options.out / 'evaluate.png', verdict.plot(figures))
    images.write_png(options.out / 'added.png', images.grid(made[:100], 20, 2),
                     runs.origin_of(stylegan=gan.path.name, seed=how.seed, psi=how.psi))
    print(verdict.report(result), end='')
    print('done: open %s; added.png beside it shows 100 of the pictures that were added' % (
        options.out / 'evaluate.png'))


def metrics(options):
    """Measure generated pictures against a catalogue's, and show the photos nearest to some."""
    from dnnlib import images, runs
    from stylegan import generator
    from stylegan.metrics import measure as metrics, path_length
    how = knobs.from_flags(metrics.Metrics(), options)
    gan = generator.Generator(_stylegan(options), how.threads, how.noise)
    features, records = _features(options, how), _records_of(options, how, gan)

    def styles(z):
        return gan.truncate(gan.w(z), how.psi)
    count = min(how.count, records.count)
    reals = records.batch(0, count, gan.res, mirror=how.mirror)
    seeds = range(how.seed, how.seed + (count + 1) // 2)
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
        features=features), runs.origin_of(
            stylegan=gan.path.name, seed=how.seed, psi=how.psi,
            shows='in each row a generated picture, then the photos nearest to it'))
    print(metrics.report(result))
    print(f"done: open {options.out / 'neighbours.png'}")


def directions(options):
    """Find directions in W that change one thing, and measure what else they change."""
    from steering import label_page
    from dnnlib import images, progress, runs
    from steering import directionset, discover, entangle
    from stylegan import labelled
    how = knobs.from_flags(discover.Discovery(), options)
    hand = label_page.read(options.labels) if options.labels else {}
    gan, eye, made = _pair(options, how.threads)
    sample = labelled.recall(options.out / 'tagged.npz', gan, eye.heads, eye.probabilities,
                           count=how.count, psi=how.psi, seed=how.seed, made=made)
    probe = entangle.Probe(gan, eye.probabilities, sample, how.probes, how.seed)
    found, figures = entangle.study_all(probe, discover.find(gan, sample, hand, how))
    directionset.save(options.out / 'directions.npz', found, dict(made, made=runs.provenance()))
    origin = runs.origin_of(stylegan=gan.path.name, psi=how.psi, seed=how.seed)
    for direction in progress.bar(found, what='strips', unit='direction', leave=False):
        images.write_png(options.out / 'strips' / (entangle.file_name(direction) + '.png'),
                         entangle.strip(gan, sample, direction),
                         dict(origin, direction=direction.name))
    print(entangle.write(options.out, found, figures))
    print(f"done: look at {options.out / 'strips'}; now try: python run.py edit --help")


def label(options):
    """Make a page on which a person says yes or no to pictures, for directions --labels."""
    from steering import label_page
    from dnnlib import runs
    from stylegan import generator
    gan = generator.Generator(_stylegan(options), options.threads)
    seeds = _seeds(options.seed, options.count)
    pictures = gan.pictures(gan.truncate(gan.w(gan.seeded(seeds)), options.psi, gan.layers))
    label_page.write(options.out, options.name, pictures, seeds=seeds, psi=options.psi,
                    origin=runs.origin_of(stylegan=gan.path.name))
    print('done: open %s, then: python run.py directions --labels labels.csv' % (
        options.out / 'index.html'))


def edit(options):
    """Change what a picture shows to a value that is asked for, or go along directions."""
    from dnnlib import images, runs
    from steering import directionset, edit
    from stylegan import figures, latent_files
    how = knobs.from_flags(edit.Search(), options)
    asked = edit.wanted(options.set)
    if not (asked or options.direction or options.measure):
        raise UserError('nothing is asked for; add --set NAME=VALUE or --direction NAME=STRENGTH, '
                        'such as: python run.py edit %s' % EXAMPLES['edit'])
    gan, eye, made = _pair(options, how.threads)
    sample, known = directionset.recall(options.directions, made)
    editor = edit.Editor(gan, eye.heads, eye.probabilities, sample, known, how)
    if options.measure:
        _measure_edits(options, how, editor, gan, made)
        return
    moves = edit.moves(options.direction, known, options.layers)
    edits = [editor.edit(ws, asked, moves)
             for ws in latent_files.styles(gan, options.seed, how.psi)]
    origin = runs.origin_of(stylegan=gan.path.name, seed=options.seed, psi=how.psi,
                            edit='; '.join(options.set + options.direction))
    strips = [gan.pictures(edit.between(each)) for each in edits]
    images.write_png(options.out / 'strip.png', figures.strips(strips), origin)
    for index, each in enumerate(edits):
        images.write_png(options.out / ('edited-%d.png' % index),
                         gan.pictures(each.ws[None])[0], origin)
        print(edit.report(each, asked))
    latent_files.save(options.out / 'edited.npz', [each.ws for each in edits])
    print(f"done: open {options.out / 'strip.png'}")


def project(options):
    """Find the styles with which the generator draws real pictures; the same again goes on."""
    from dnnlib import runs
    from projection import features as perceptual, results as projected, self_test
    from stylegan import generator
    from projection import search as search
    from projection.config import Projection
    how = knobs.from_flags(Projection(), options)
    gan = generator.Generator(_stylegan(options), how.threads)
    named = _targets(options, gan.res)
    if options.mix and len(named) + options.self_test < 2:
        raise UserError('--mix needs two pictures at least; give more, or leave it out')
    projector = search.Projector(
        gan, how, perceptual.vgg16(options.vgg) if options.vgg else perceptual.pyramid)
    origin = runs.origin_of(stylegan=gan.path.name, seed=how.seed)
    if options.self_test:
        named, results, measured = self_test.measure(
            options.out, gan, projector, named, count=options.self_test, seed=how.seed,
            origin=origin)
        files.write_json(options.out / 'self-test.json', measured)
        print(self_test.report(measured))
    else:
        results = projected.project(options.out, named, gan, projector, origin)
        print(projected.report(named, results))
    projected.write_all(options.out, named, results, origin)
    if options.mix:
        projected.write_mixed(options.out, gan, results, options.mix, how.seed, origin)
    print(f"done: open {options.out / ('mixed.png' if options.mix else 'all.png')}")


def mix(options):
    """Lay styles of some pictures on others: a grid of all pairs, and the three-panel film."""
    from dnnlib import images, runs, video
    from steering import walks
    from stylegan import figures, generator, latent, latent_files
    gan = generator.Generator(_stylegan(options), options.threads)
    sources, targets = [latent_files.styles(gan, text, options.psi)
                        for text in (options.source, options.onto)]
    band = latent.band(options.layers, gan.layers)
    origin = runs.origin_of(stylegan=gan.path.name, psi=options.psi, mix='%s onto %s, layers %s' % (
        options.source, options.onto, options.layers))
    images.write_png(options.out / 'mix.png', figures.mixes(gan, sources, targets, band), origin)
    video.write_mp4(options.out / 'mix.mp4', figures.three_panels(
        gan, walks.pairs(sources, targets, options.frames), band), origin=origin)
    latent_files.save(options.out / 'mix.npz', [
        latent.mixed(target[None], source[None], band)[0] for target in targets
        for source in sources])
    print(f"done: open {options.out / 'mix.png'}")


def walk(options):
    """Film a walk through the latent space, from picture to picture and home again."""
    from dnnlib import gif, runs, video
    from steering import paths, walks
    from stylegan import generator
    from stylegan.metrics import path_length
    how = knobs.from_flags(walks.Walk(), options)
    features = path_length.pixels
    if how.constant_speed == 'tagger':
        from tagger import image_tagger
        features = image_tagger.Tagger(_tagger(options), options.threads).features
    gan = generator.Generator(_stylegan(options), options.threads)
    stops = walks.stops(gan, options.seeds, options.keys, how)
    way, legs = walks.path(gan, stops, how), paths.legs(stops, not how.open)
    t = walks.times(gan, way, legs, how, features)
    origin = runs.origin_of(stylegan=gan.path.name, psi=how.psi, walk=options.keys or options.seeds)
    video.write_mp4(options.out / 'walk.mp4', walks.frames(gan, way, t, how.side), fps=how.fps,
                    origin=origin)
    if how.gif:
        gif.write_gif(options.out / 'walk.gif', walks.frames(gan, way, t[::2], how.side),
                      fps=how.fps / 2, origin=origin)
    print(f"done: open {options.out / 'walk.mp4'}")


# --- What several commands need.

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
    from stylegan import snapshots
    start, network = snapshots.load_all(options.start)
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
    from catalog import demo_default, source
    from gpt2 import data as dataset, encoder, snapshots
    data, tag_columns = options.data or demo_default.drawn(), _listed(options.tag_columns)
    if options.start and options.vocabulary:
        raise UserError('--start brings a vocabulary of its own; leave --vocabulary out')
    if data.suffix.lower() != '.npz':
        products = source.with_texts(source.read(
            data, text_column=options.text_column, tag_columns=tag_columns,
            key_column=options.key_column), data)
        return products, _digest((p.description, p.tags, p.key) for p in products)
    known = snapshots.find(options.start) if options.start else options.vocabulary
    if not known or tag_columns or options.key_column:
        raise UserError('%s is already encoded: it needs --start, the model that has its '
                        'vocabulary, or --vocabulary, and has no columns' % data)
    documents = dataset.read(data, encoder.load(known))
    return documents, _digest(document.key for document in documents)


def _run(options, network, training, free, **more):
    """The run folder of a training; refuses one that was made with other options."""
    from dnnlib.runs import Run
    decided, defaults = [dict(dataclasses.asdict(a), **dataclasses.asdict(b)) for a, b in (
        (network, training), (type(network)(), type(training)()))]
    return Run(options.run, dict(more, **decided), free, defaults)


def _features(options, how):
    """The function pictures -> features that was asked for, or None."""
    if how.features == 'swd':
        return None
    if not options.inception:
        raise UserError('--features inception needs --inception PATH, a frozen graph such as '
                        'classify_image_graph_def.pb')
    from stylegan.metrics.inception import Inception
    return Inception(options.inception, threads=how.threads)


def _records_of(options, how, gan):
    """The real pictures to measure against: those given, else those the generator learnt from."""
    from catalog import demo_default
    from stylegan import dataset
    own = gan.path.parent / 'records'
    folder = options.records or own
    if options.data or not (options.records or own.exists()):
        products = demo_default.pictured(options.data)
        folder = options.out / ('records-' + _digest(
            [gan.res, options.fit] + [product.name for product in products]))
        if not folder.exists():
            dataset.pack([product.image for product in products], folder, gan.res, options.fit)
    records = dataset.Records(folder, how.seed)
    if records.resolution < gan.res:
        raise UserError('%s was packed at %d px, the generator draws %d px; give the photos with '
                        '--data' % (folder, records.resolution, gan.res))
    return records


def _learnt_from(gan):
    """The pictures that a generator was trained on, or None where nothing tells which."""
    from catalog import demo_default
    from stylegan import dataset
    folder, about = gan.path.parent / 'records', gan.path.parent / 'options.json'
    if model_lookup.shipped(gan.path):  # it has learnt from the demo
        folder = demo_default.FOLDER.with_name('demo-records-%d' % gan.res)
        if not folder.exists():
            print('the training pictures nearest to each product are sought in the demo catalogue; '
                  '--neighbours 0 does without')
            dataset.pack([p.image for p in demo_default.pictured()], folder, gan.res)
    elif not folder.exists() and about.exists():  # a training with --records has none of its own
        folder = pathlib.Path(files.read_json(about)['options']['data'])
    return dataset.Records(folder) if folder.is_dir() else None


def _beside_each(gan, out, count, features):
    """The function that writes the training pictures nearest to each picture, or None.

    features: as for `metrics.nearest`.
    """
    from catalog.page import neighbours
    from stylegan.metrics import measure as metrics
    records = _learnt_from(gan) if count else None
    if not records:
        return None

    def fetch(first, number):
        return records.batch(first, number, gan.res)

    def nearest(pictures):
        return metrics.nearest(pictures, fetch, records.count, features=features, count=count)
    return lambda pictures: neighbours.write(out, pictures, nearest,
                                             lambda index: fetch(index, 1)[0])


def _targets(options, side):
    """The pictures to project as {name: uint8 [side, side, 3]}: files named, or of a catalogue."""
    from catalog import demo_default
    from rare import report
    from dnnlib import images
    from projection import results as projected
    paths, most, found = options.images, options.self_test or options.count, {}
    for path in paths:
        if path.is_dir():
            raise UserError(f'{path} is a folder; to take pictures from it, type --data {path}')
    if paths and (options.data or options.category or options.where or options.self_test):
        raise UserError('--data, --category, --where and --self-test choose from a catalogue; '
                        'give them or pictures, not both')
    if not paths:
        products = demo_default.pictured(options.data)
        if options.category or options.where:
            products = report.chosen(products, options.category, options.where)
        paths = [product.image for product in products]
    for name, path in zip(projected.names(paths), paths):
        try:
            found[name] = images.square(images.open_rgb(path), side, options.fit)
        except images.Unreadable:
            if options.images:
                raise
        if not options.images and len(found) == most:
            break
    if not found:
        raise UserError(f'not one of the {len(paths)} pictures can be read')
    return found


def _stylegan(options):
    """The snapshot, pickle or run folder of the picture model to use."""
    return options.stylegan or model_lookup.newest('network-snapshot-*.npz')


def _gpt2(options):
    """The folder of the text model to use."""
    return options.gpt2 or model_lookup.newest('snapshot/hparams.json').parent


def _tagger(options):
    """The file of the picture tagger to use; the text tagger lies beside it."""
    if not options.tagger and model_lookup.shipped(_stylegan(options)):
        return model_lookup.PRETRAINED / 'tagger' / 'tagger.npz'
    path = options.tagger or model_lookup.newest('tagger.npz')
    return path / 'tagger.npz' if path.is_dir() else path


def _pair(options, threads):
    """The generator, the tagger that looks at its pictures, and what tells both from others."""
    from tagger import image_tagger
    from stylegan import generator
    gan = generator.Generator(_stylegan(options), threads)
    eye = image_tagger.Tagger(_tagger(options), threads)
    return gan, eye, {'stylegan': _digest(gan.w_avg.tolist()),
                      'tagger': _digest(sorted(eye.about.items()))}


def _measure_edits(options, how, editor, gan, made):
    """Try random edits, print what came of them, and keep it in measure.json."""
    from dnnlib import runs
    from steering import edit_check
    from stylegan import latent_files
    judge = _judge(options, how, {})
    judge = judge if judge and judge.heads == editor.heads else None
    made = dict(made, how=dataclasses.asdict(how),
                judge=_digest(sorted(judge.about.items())) if judge else '')
    result = edit_check.measure(
        editor, gan, options.out / 'measure.jsonl', count=options.measure, psi=how.psi,
        seed=latent_files.seeds(options.seed)[0], judge=judge and judge.probabilities, made=made)
    judged = edit_check.judged(result)
    files.write_json(options.out / 'measure.json', dict(
        made=runs.provenance(), summary=edit_check.summary(result),
        judged=judged and edit_check.summary(judged)))
    print(edit_check.table(result))


def _eyes(options, gan, threads):
    """Who sees what pictures show and compares texts with it: (name, describe, check, features).

    The taggers; the generator's own lookalikes, if those have products that no tagger knows.
    """
    from tagger import agreement, image_tagger, lookalikes, text_tagger
    path, library = _tagger(options), gan.path.parent / 'lookalikes.npz'
    eye = image_tagger.Tagger(path, threads)
    if not options.tagger and lookalikes.strangers(library, eye.heads.get('category', ())):
        return library, lookalikes.describer(library), None, None
    reader, check = path.with_name('texttagger.npz'), None
    if reader.exists():
        check = agreement.checker(text_tagger.TextTagger(reader).said)
    return path, agreement.describer(eye.tags), check, eye.features


def _products(options, how, gan, writer, texts=()):
    """Make the products of `samples` and `cards`, and the page; print how texts and pictures fit.

    how: Sampling; texts: written from nothing, for the page.
    """
    from commands import fakes
    from tagger import agreement
    from dnnlib import runs
    out, psi, seeds = options.out, options.psi, _seeds(how.seed, options.count)
    eyes, describe, check, features = _eyes(options, gan, how.threads)
    w = gan.w(gan.seeded(seeds))
    products = fakes.write(
        out, gan.pictures(gan.truncate(w, psi)), seeds=seeds, psi=psi, ws=w,
        origin=runs.origin_of(stylegan=gan.path.name), describe=describe, check=check,
        write_texts=writer.retrying(how), tries=options.tries,
        beside=_beside_each(gan, out, options.neighbours, features))
    fakes.write_page(out, products, texts, facts=dict(
        runs.provenance(), stylegan=str(gan.path), gpt2=str(_gpt2(options)), tagger=str(eyes),
        psi=psi, seed=how.seed), command=_again())
    if check:
        print(agreement.report(products))
    print(f"done: open {out / 'index.html'}")


def _harvests(options, how, gan, eye, asked):
    """What `rare` brings in, {method: Harvest}, and the function Harvest -> its figures."""
    from rare import report
    from rare import region as rare, search
    from stylegan import labelled, latent_files

    def look(w):
        pictures = gan.pictures(labelled.layered(w, gan.layers))
        return pictures, report.steady_scores(eye, asked, pictures, how.sure)

    def ordinary(count, rng):
        z = rng.standard_normal([count, gan.latent_size]).astype('float32')
        return labelled.truncated(gan, gan.w(z), how.psi)
    measure = _measure_of(options, how, gan, eye, asked)  # a wrong path is said before the search
    extra = options.seeds_from and rare.single(latent_files.read(
        options.seeds_from, gan.layers, len(gan.w_avg)), options.seeds_from)
    sample, seconds = search.searched(
        options.out / 'search.npz', {'stylegan': files.digest(gan.path), 'psi': how.psi,
                                     'tagger': files.digest(_tagger(options)), 'seed': how.seed},
        how.search, lambda first, number: labelled.collect(
            gan, eye.heads, eye.probabilities, count=number, psi=how.psi, seed=how.seed + first))
    region = rare.Region(sample.w, report.scores(sample.probabilities, eye.heads, asked), look,
                         how, extra)
    harvests = region.harvests(seconds, ordinary)
    found, before = harvests.get('search'), (how.search + region.refining, seconds)
    return harvests, lambda harvest: measure(harvest, found, before)


def _measure_of(options, how, gan, eye, asked):
    """The function (Harvest, that of the search or None, (pictures, seconds) of the search) ->
    the figures of `rare`."""
    from catalog import demo_default
    from rare import report
    from tagger import image_tagger, train as tagging
    from rare import region as rare
    from stylegan.metrics import measure as metrics
    judge, reals, nearest = _judge(options, how, asked), None, None
    describe = (judge or eye).features
    if options.data or model_lookup.shipped(gan.path):
        photos, products = tagging.read(demo_default.pictured(options.data), gan.res)
        own = report.among(products, asked)
        reals = rare.mean_distance(describe(photos[own])) if own else None

        def nearest(pictures):
            return metrics.nearest(pictures, lambda first, number: photos[first:first + number],
                                   len(photos), count=1)[1][:, 0]

    def diversity(pictures):
        return rare.mean_distance(describe(pictures))
    return lambda harvest, found, before: report.measured(
        harvest, asked=asked, judge=judge, diversity=diversity, nearest=nearest, reals=reals,
        found=found and diversity(found.pictures), before=(0, 0) if harvest is found else before)


def _judge(options, how, asked):
    """The second tagger, or None where there is none that knows what was asked for."""
    from rare import report
    from tagger import image_tagger
    path = options.judge or model_lookup.PRETRAINED / 'tagger' / 'judge.npz'
    if not options.judge and not path.exists():
        return None
    judge = image_tagger.Tagger(path, how.threads)
    return judge if report.knows(judge.heads, asked) else None


def _contestants(options, how, gan):
    """The Photos that `evaluate` trains on and tests on."""
    from catalog import demo_default
    from rare import photos
    from tagger import train as tagging
    products = demo_default.pictured(options.data, options.key_column)
    classes = tuple(sorted({p.category for p in products}))
    photos.known(classes, options.category)
    if options.test_data:
        test = demo_default.pictured(options.test_data)
    else:
        products, test = photos.split(products, how.test, how.seed)
        print('no --test-data given: %d of the products are kept for the test. Had the generator '
              'learnt from them, this would prove nothing; give a catalogue that is new to it'
              % len(test))
    return [photos.labelled(*tagging.read(each, how.side, options.fit), classes)
            for each in (products, test)]


def _write_rare(options, how, gan, eye, folder, harvest, method, write_texts):
    """Write what one method of `rare` has brought in as a catalogue, with its sheet and codes."""
    from commands import fakes
    from rare import report
    from dnnlib import images, runs
    from rare import region as rare
    _, describe, check, _ = _eyes(options, gan, how.threads)
    origin = runs.origin_of(stylegan=gan.path.name, method=method)
    images.write_png(folder / 'sheet.png', images.grid(harvest.pictures[:200], 20, 2), origin)
    products = fakes.write(
        folder, harvest.pictures, seeds=_seeds(how.seed, len(harvest)), psi=how.psi, origin=origin,
        describe=describe, check=check, tries=options.tries, write_texts=write_texts)
    report.write_table(folder, products, eye.heads)
    rare.save(folder / 'codes.npz', harvest)


def _again():
    """The command that makes one product of this call again, with {} in place of its seed."""
    typed, kept = iter(sys.argv[2:]), []
    for word in typed:
        name, equals, _ = word.partition('=')
        if name not in ('--seed', '--count', '--out', '--frames'):
            kept.append(shlex.quote(word))
        elif not equals:
            next(typed, None)  # its value
    return ' '.join(['python run.py cards --seed {} --count 1'] + kept)


def _seeds(first, count):
    """One seed per text; behind the last one they go on from 0."""
    return [(first + i) % 2 ** 32 for i in range(count)]


# --- The command line.

# What stands at the end of each command's --help: one call that is worth typing.
EXAMPLES = {
    'demo': '--count 300 --seed 1 --out data/small',
    'download': 'gpt2-124M',
    'convert': 'saved.pkl anime.npz',
    'prune': '--data photos',
    'train-stylegan': '--data photos-pruned --run runs/photos',
    'train-gpt2': '--data texts.csv --text-column story --tag-columns colour,type --run runs/texts',
    'train-tagger': '--data photos-pruned --run runs/photos-tagger',
    'samples': '--seed 7 --psi 1 --out out/mine',
    'cards': '--count 500 --seed 1000',
    'text': '--context "sleeveless red asymmetric dress" --count 4',
    'export': '--to transformers --out out/gpt2',
    'check-text': '--gpt2 runs/gpt2 --count 200',
    'rare': '--category jumpsuit --count 200',
    'project': '--category jumpsuit --count 12 --mix 16',
    'evaluate': '--category jumpsuit --test-data data/another-demo',
    'metrics': '--stylegan runs/photos --count 2000',
    'directions': '--count 4000 --out out/directions',
    'label': '--name "sleeve=long sleeves" --count 200',
    'edit': '--seed 7 --set "sleeve=long sleeves" --set colour=red',
    'mix': '--from 1,2,3 --onto 4,5 --layers fine',
    'walk': '--seeds 1,5,9 --spline yes --gif yes'}


class _Parser(argparse.ArgumentParser):
    """Mistyped commands and options are reported like every other mistake."""

    def error(self, message):
        raise UserError(f'{message}; see: python {self.prog} --help')


def _parser(typed=None):
    """Every command with its groups of options, which the rooms define.

    typed: the command that is asked for. Only that one gets its options then, so that nothing is
    loaded for the others.
    """
    from commands import catalog_flags as catalog
    from commands import shared_flags
    from commands import gpt2_flags as gpt2
    from commands import stylegan_flags as stylegan
    parser = _Parser(description=__doc__.split('\n')[0], allow_abbrev=False)
    commands = parser.add_subparsers(metavar='COMMAND', dest='command')
    commands.required = True

    def command(function, *groups):
        name, about = function.__name__.replace('_', '-'), inspect.getdoc(function)
        added = commands.add_parser(
            name, help=about.split('\n')[0], description=about, allow_abbrev=False,
            epilog=f'example: python run.py {name} {EXAMPLES[name]}',
            formatter_class=argparse.RawDescriptionHelpFormatter)
        added.set_defaults(function=function)
        for add in groups if typed in (None, name) else ():
            add(added)
    command(demo, catalog.demo)
    command(download, shared_flags.download)
    command(convert, stylegan.convert)
    command(prune, catalog.prune)
    command(train_stylegan, stylegan.train)
    command(train_gpt2, gpt2.train)
    command(train_tagger, catalog.train_tagger)
    command(samples, stylegan.model, catalog.tagger, catalog.samples, gpt2.writing)
    command(cards, stylegan.model, catalog.tagger, catalog.cards, gpt2.writing)
    command(text, gpt2.text, gpt2.writing)
    command(export, gpt2.model, gpt2.export)
    command(check_text, gpt2.check_text, gpt2.writing)
    command(rare, stylegan.model, catalog.tagger, stylegan.rare, gpt2.writing)
    command(evaluate, stylegan.model, catalog.evaluate)
    command(metrics, stylegan.model, stylegan.metrics)
    command(directions, stylegan.model, catalog.tagger, stylegan.directions)
    command(label, stylegan.model, stylegan.label)
    command(edit, stylegan.model, catalog.tagger, stylegan.edit)
    command(project, stylegan.model, stylegan.project)
    command(mix, stylegan.model, stylegan.mix)
    command(walk, stylegan.model, catalog.tagger, stylegan.walk)
    return parser


def main(arguments):
    """Run one command. Exit code 0: done, 1: the user's mistake, 130: stopped and saved."""
    try:
        options = _parser((arguments or [''])[0]).parse_args(arguments)
        options.function(options)
    except UserError as error:
        print(f'error: {files.printable(error)}', file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, no rights, a file where a folder is to be
        if not error.strerror:
            raise
        where = f'{error.filename}: ' if error.filename else ''
        print(f'error: {files.printable(where + error.strerror.lower())}', file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        print(f'\nstopped. {stop}', file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
