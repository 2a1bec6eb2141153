"""Rare classes: make many products of one, and measure whether they help a classifier."""

import dataclasses

from commands import inputs
from commands import options as common
from dnnlib import files, knobs
from dnnlib.files import UserError


def rare_options(parser):
    """What `rare` takes."""
    from rare.config import Rare
    common.stylegan(parser)
    common.tagger(parser)
    parser.add_argument('--category', default='', help='what to make, such as jumpsuit: a category '
                        'or a value of any attribute')
    parser.add_argument('--where', default='', help='what to make, in more detail: '
                        '"category=jumpsuit,colour=black,sleeve=short sleeves"')
    common.out(parser, 'out/rare')
    common.judge(parser, 'for the report')
    parser.add_argument('--seeds-from', type=common.path, metavar='W.npz', help='more codes of '
                        'the class, such as projected photos: run.py project')
    parser.add_argument('--data', type=common.path, help='the training set of the '
                        'generator, for the report (default: the demo, for the pretrained one)')
    common.tries(parser, 5)
    common.shard(parser, 'A part draws and scores what comes before it once more, but writes no '
                 'texts for that, and no report')
    knobs.add_flags(parser, Rare, skip=('seed', 'threads'))
    common.writing(parser)


def rare(options):
    """Generate products of a rare class: find its region of W once, then sample from it."""
    from dnnlib import images, runs
    from gpt2.config import Sampling
    from gpt2.write import Writer
    from rare import region, report
    from rare.config import Rare
    from stylegan import labelled
    from stylegan.generator import Generator
    from tagger import target_class
    from tagger.agreement import ProductTagger
    common.check_shard(options)
    config, sampling = [knobs.from_flags(each(), options) for each in (Rare, Sampling)]
    first, last = options.shard.range(config.count)
    for path in (options.out / 'products.jsonl', *options.out.glob('*/products.jsonl')):
        common.check_part(options.shard, path, common.seeds(config.seed, last)[first:])
    gan = Generator(inputs.stylegan(options), config.threads)
    taggers = ProductTagger(inputs.tagger(options), config.threads)
    tagger = taggers.images
    target = target_class.parse(tagger.heads, options.category, options.where)
    writer = Writer(inputs.gpt2(options), sampling.threads, sampling.int8)
    config = dataclasses.replace(config, count=last)
    extra = _more_codes(options, gan)  # a wrong file is reported before the demo is drawn
    reference = options.shard.whole() and _reference(options, config, gan, tagger, target)

    sample, seconds = region.search(
        options.out / 'search.npz', gan, tagger, config,
        {'stylegan': files.digest(gan.path), 'tagger': files.digest(taggers.path)})
    where = region.Region(
        gan, target_class.Scorer(tagger, target, config.sure), sample.w,
        target_class.probability(sample.probabilities, sample.heads, target), config, extra)
    found = where.searched(seconds) if where.hits or config.method == 'search' else None
    methods = [method for method in config.methods()
               if config.method != 'all' or where.able(method)]
    accepted = {method: where.sample(method) for method in methods if method != 'search'}
    if not options.shard.whole():
        accepted.update(search=found)
        for method in methods:
            _write_catalogue(options, config, accepted[method], method, gan, taggers, writer,
                             sampling, first)
        return
    before = config.search + where.refining, seconds
    rows = {method: reference.figures(each, found, before) for method, each in accepted.items()}
    if found:
        accepted['search'], rows['search'] = found, reference.figures(found, found)
    if 'shift' in accepted:
        rows['shift']['kept'] = report.kept(tagger, target, gan.pictures(labelled.layered(
            accepted['shift'].sources, gan.layers)), accepted['shift'].pictures)

    for method in methods:
        each = accepted[method]
        folder = _write_catalogue(options, config, each, method, gan, taggers, writer, sampling)
        images.write_png(folder / 'sheet.png', images.grid(each.pictures[:200], 20, 2),
                         runs.origin_of(stylegan=gan.path.name, method=method))
        region.save(folder / 'codes.npz', each)
    files.write_json(options.out / 'rare.json', {
        'wanted': target, 'methods': rows, 'options': dataclasses.asdict(config)})
    files.write_text(options.out / 'rare.txt', report.table(rows) + '\n')
    print(report.table(rows))
    print(_ending(options, config, methods))


def _folder(options, config, method):
    return options.out / method if config.method == 'all' else options.out


def _ending(options, config, methods):
    """What is said at the end: which methods could not be used, and where the others' results
    lie."""
    left_out = [f'{method} was left out: the search has found too few images of the class'
                for method in config.methods() if method not in methods]
    folders = ', '.join(str(_folder(options, config, method)) for method in methods)
    return '\n'.join(left_out + [f'done: look at sheet.png in {folders}; each is a catalogue, to '
                                 'train on with --data'])


def _write_catalogue(options, config, accepted, method, gan, taggers, writer, sampling, first=0):
    """Write the products of a method from number `first` on, as a catalogue -> its folder."""
    from commands.products import write_products
    from dnnlib import runs
    from rare import report
    folder = _folder(options, config, method)
    if len(accepted) <= first:
        raise UserError(f'there are {len(accepted)} such images, none for this part of the work; '
                        'use a lower --count, or --shard with fewer parts')
    products = write_products(
        folder, accepted.pictures[first:], seeds=common.seeds(config.seed, len(accepted))[first:],
        psi=config.psi, origin=runs.origin_of(stylegan=gan.path.name, method=method),
        tagger=inputs.lookalikes(options, gan, taggers.images) or taggers, writer=writer,
        sampling=sampling, tries=options.tries)
    report.write_table(folder, products, taggers.images.heads, heading=first == 0)
    return folder


def _reference(options, config, gan, tagger, target):
    """The report.Reference for the figures: a second tagger and the training photos, if known."""
    from rare import report
    from tagger import train
    judge, photos, products = inputs.judge(options, config.threads), None, ()
    if options.data or inputs.pretrained(gan.path):
        photos, products = train.read(inputs.pictured(options.data), gan.res)
    return report.Reference(target, tagger, judge, photos, products)


def _more_codes(options, gan):
    """The codes [k, w] of --seeds-from, or None."""
    from rare import region
    from stylegan import latent
    if not options.seeds_from:
        return None
    return region.single_w(latent.read(options.seeds_from, gan.layers, len(gan.w_avg)),
                         options.seeds_from)


def evaluate_options(parser):
    """What `evaluate` takes."""
    from rare.config import Evaluate
    common.stylegan(parser)
    parser.add_argument('--category', required=True, help='the rare class, such as jumpsuit')
    parser.add_argument('--data', type=common.path, help='the catalogue to train on, the one that '
                        'the generator was trained on (default: the demo, drawn on first use)')
    parser.add_argument('--test-data', type=common.path, help='a catalogue to test on, of other '
                        'products, new to the generator (default: a part of --data)')
    common.key_column(parser, 'tested on')
    common.out(parser, 'out/evaluate')
    common.fit(parser)
    knobs.add_flags(parser, Evaluate)


def evaluate(options):
    """Measure whether synthetic images help a classifier with a rare class; resumable."""
    from dnnlib import images, runs
    from rare import analysis
    from rare.config import Evaluate
    from rare.experiment import Classifiers, Experiment
    from stylegan.generator import Generator
    config = knobs.from_flags(Evaluate(), options)
    gan = Generator(inputs.stylegan(options), config.threads)
    train, test = _train_and_test(options, config)
    experiment = Experiment(options.out, gan, train, test, options.category, config)
    if not options.test_data:
        print(f'no --test-data given: {len(test)} of the products are held out for the test. If '
              'the generator was trained on them, this proves nothing; give a catalogue that is '
              'new to it')
    print(f"{experiment.photos} real photos of '{options.category}' to train on; classifiers get "
          f"{', '.join(map(str, experiment.counts))} of them")
    with Classifiers(train.classes, config) as classifiers:
        results, audit = experiment.run(classifiers)
    figures = analysis.Figures(results, test.labels, train.classes, experiment.rare,
                               config.bootstrap, config.seed)
    synthetic = experiment.pictures(max(experiment.counts), config.seed)['filtered']
    result = dict(analysis.summary(figures, audit), copies=experiment.copies(synthetic))
    files.write_json(options.out / 'evaluate.json', result)
    files.write_text(options.out / 'evaluate.txt', analysis.report(result))
    images.write_png(options.out / 'evaluate.png', analysis.plot(figures))
    print(analysis.report(result), end='')
    done, added = f"done: open {options.out / 'evaluate.png'}", options.out / 'added.png'
    if len(synthetic):
        images.write_png(added, images.grid(synthetic[:100], 20, 2), runs.origin_of(
            stylegan=gan.path.name, seed=config.seed, psi=config.psi))
        print(f'{done}; added.png beside it shows 100 of the images that were added')
    else:
        files.remove(added)
        print(f'{done}; the pool had no image of the class, so none was added: raise --pool')


def _train_and_test(options, config):
    """The experiment.Dataset that `evaluate` trains on, and the one it tests on."""
    from rare import experiment
    from tagger import train
    test = inputs.pictured(options.test_data) if options.test_data else ()
    products = inputs.pictured(options.data, options.key_column)
    classes = tuple(sorted({product.category for product in products}))
    experiment.class_index(classes, options.category)  # refused before the images are read
    if not test:
        products, test = experiment.split(products, config.test, config.seed)
    photos = []
    for some in (products, test):
        pictures, readable = train.read(some, config.side, options.fit)
        photos.append(experiment.dataset_of(readable, pictures, classes))
    return photos
