"""Rare classes: make many products of one, and measure whether they help a classifier."""

import dataclasses
import pathlib

from commands import models, options as common
from dnnlib import files, knobs, model_lookup


def rare_options(parser):
    """What `rare` takes."""
    from rare.region import Rare
    common.stylegan(parser)
    common.tagger(parser)
    parser.add_argument('--category', default='', help='what to make, such as jumpsuit: a category '
                        'or a value of any attribute')
    parser.add_argument('--where', default='', help='what to make, in more detail: '
                        '"category=jumpsuit,colour=black,sleeve=short sleeves"')
    common.out(parser, 'out/rare')
    common.judge(parser, 'for the report')
    parser.add_argument('--seeds-from', type=pathlib.Path, metavar='W.npz', help='more codes of '
                        'the class, such as projected photos: run.py project')
    parser.add_argument('--data', type=pathlib.Path, help='the catalogue that the generator learnt '
                        'from, for the report (default: the demo, for the pretrained one)')
    common.tries(parser, 5)
    knobs.add_flags(parser, Rare, skip=('seed', 'threads'))
    common.writing(parser)


def rare(options):
    """Make many products of a rare class: search once for where it lies, then draw from there."""
    from rare import report
    from tagger import image_tagger
    from gpt2 import config, write
    from stylegan import generator, labelled
    from rare import region as rares
    how, writing = [knobs.from_flags(each, options) for each in (rares.Rare(), config.Sampling())]
    gan = generator.Generator(models.stylegan(options), how.threads)
    eye = image_tagger.Tagger(models.tagger(options), how.threads)
    asked = report.wanted(eye.heads, options.category, options.where)
    writer = write.Writer(models.gpt2(options), writing.threads)
    harvests, measure = _harvests(options, how, gan, eye, asked)
    rows = {method: measure(harvest) for method, harvest in harvests.items()}
    if 'shift' in harvests:
        moved = harvests['shift']
        rows['shift']['kept'] = report.kept(eye, asked, gan.pictures(
            labelled.layered(moved.sources, gan.layers)), moved.pictures)
    for method in [method for method in how.methods() if method in harvests]:
        folder = options.out / method if how.method == 'all' else options.out
        _write_rare(options, how, gan, eye, folder, harvests[method], method,
                    writer, writing)
    files.write_json(options.out / 'rare.json', {
        'asked': asked, 'methods': rows, 'options': dataclasses.asdict(how)})
    files.write_text(options.out / 'rare.txt', report.table(rows) + '\n')
    print(report.table(rows))
    print(f'done: look at sheet.png in {folder}; it is a catalogue, to train on with --data')


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
        options.out / 'search.npz', {
            'stylegan': files.digest(gan.path), 'psi': how.psi,
            'tagger': files.digest(models.tagger(options)), 'seed': how.seed},
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
    from tagger import train as tagging
    from rare import region as rare
    from stylegan.metrics import measure as metrics
    judge, reals, nearest = _judge(options, how, asked), None, None
    describe = (judge or eye).features
    if options.data or model_lookup.shipped(gan.path):
        photos, products = tagging.read(demo_default.pictured(options.data), gan.res)
        own = report.among(products, asked)
        reals = rare.mean_distance(describe(photos[own])) if own else None

        def nearest(pictures):
            return metrics.nearest(pictures, photos, count=1)[1][:, 0]

    def diversity(pictures):
        return rare.mean_distance(describe(pictures))
    return lambda harvest, found, before: report.measured(
        harvest, asked=asked, judge=judge, diversity=diversity, nearest=nearest, reals=reals,
        found=found and diversity(found.pictures), before=(0, 0) if harvest is found else before)


def _judge(options, how, asked):
    """The second tagger, or None where there is none that knows what was asked for."""
    from rare import report
    judge = models.judge(options, how.threads)
    return judge if judge and report.knows(judge.heads, asked) else None


def _write_rare(options, how, gan, eye, folder, harvest, method, writer, sampling):
    """Write what one method of `rare` has brought in as a catalogue, with its sheet and codes."""
    from commands import fakes
    from dnnlib import images, runs
    from rare import region as rare, report
    origin = runs.origin_of(stylegan=gan.path.name, method=method)
    images.write_png(folder / 'sheet.png', images.grid(harvest.pictures[:200], 20, 2), origin)
    products = fakes.write(
        folder, harvest.pictures, seeds=common.seeds(how.seed, len(harvest)), psi=how.psi,
        origin=origin, tagger=models.product_tagger(options, gan, how.threads), writer=writer,
        sampling=sampling, tries=options.tries)
    report.write_table(folder, products, eye.heads)
    rare.save(folder / 'codes.npz', harvest)


def evaluate_options(parser):
    """What `evaluate` takes."""
    from rare.contest import Evaluate
    common.stylegan(parser)
    parser.add_argument('--category', required=True, help='the rare class, such as jumpsuit')
    parser.add_argument('--data', type=pathlib.Path, help='the catalogue to train on, the one that '
                        'the generator learnt from (default: the demo, drawn on first use)')
    parser.add_argument('--test-data', type=pathlib.Path, help='a catalogue to test on, of other '
                        'products, new to the generator (default: a part of --data)')
    common.key_column(parser, 'tested on')
    common.out(parser, 'out/evaluate')
    common.fit(parser)
    knobs.add_flags(parser, Evaluate)


def evaluate(options):
    """Measure whether synthetic pictures help a classifier with a rare class; again goes on."""
    from rare import classify, photos, verdict
    from rare import contest as rules
    from dnnlib import images, runs
    from rare import region as rare, search
    from stylegan import generator, labelled
    from stylegan.metrics import measure as metrics
    how = knobs.from_flags(rules.Evaluate(), options)
    gan = generator.Generator(models.stylegan(options), how.threads)
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
            some, known, count=1)[1]))
    files.write_json(options.out / 'evaluate.json', result)
    files.write_text(options.out / 'evaluate.txt', verdict.report(result))
    images.write_png(options.out / 'evaluate.png', verdict.plot(figures))
    images.write_png(options.out / 'added.png', images.grid(made[:100], 20, 2),
                     runs.origin_of(stylegan=gan.path.name, seed=how.seed, psi=how.psi))
    print(verdict.report(result), end='')
    print('done: open %s; added.png beside it shows 100 of the pictures that were added' % (
        options.out / 'evaluate.png'))


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
