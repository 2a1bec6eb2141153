"""Measurements: of a StyleGAN network, and of the speed of the program."""

import dataclasses
import os

from commands import inputs
from commands import options as common
from dnnlib import files, knobs
from dnnlib.files import UserError


def metrics_options(parser):
    """What `metrics` takes."""
    from stylegan.metrics.measure import Metrics
    common.stylegan(parser)
    common.tagger(parser)
    common.judge(parser, 'for --features tagger')
    common.data(parser, 'the catalogue to measure against (default: what the run was trained on, '
                'else the demo)')
    parser.add_argument('--records', type=common.path,
                        help='a multi-resolution TFRecord set to measure against instead')
    common.fit(parser)
    parser.add_argument('--inception', type=common.path, help='frozen graph for --features '
                        'inception: classify_image_graph_def.pb')
    common.out(parser, 'out/metrics')
    knobs.add_flags(parser, Metrics)


def metrics(options):
    """Measure generated images against real ones, and show the nearest real ones."""
    from dnnlib import images, runs
    from stylegan import generator
    from stylegan.metrics import measure, path_length
    common.check_records(options)
    config = knobs.from_flags(measure.Metrics(), options)
    gan = generator.Generator(inputs.stylegan(options), config.threads, config.noise)
    network = _feature_network(options, config)
    features = network.features if network else None
    judge = inputs.judge(options, config.threads) if config.features == 'tagger' else None
    records = _records(options, config, gan)
    count = min(config.count, records.count)
    reals = records.batch(0, count, gan.res, mirror=config.mirror)
    seeds = common.seeds(config.seed, (count + 1) // 2)
    fakes = gan.pictures(gan.truncate(gan.w(gan.seeded(seeds)), config.psi))
    result = measure.measure(reals, fakes, seed=config.seed, features=features)
    result['figures'].update(_frechet_pixels(options, config, records, fakes))
    if config.features == 'tagger':
        result['figures'].update(_attributes(config, network, judge, reals, fakes, result['n']))
    if config.path_length:  # a tagger takes uint8, whose rounding would hide the small step
        unrounded = config.features == 'inception'
        result['figures']['path_length' if unrounded else 'path_length_pixels'] = {
            'value': path_length.path_length(
                gan, features if unrounded else path_length.pixels, psi=config.psi,
                count=config.path_length, seed=config.seed)}
    result['of'] = dict(dataclasses.asdict(config), stylegan=str(gan.path))
    files.write_json(options.out / 'metrics.json', result)
    images.write_png(options.out / 'neighbours.png', measure.neighbour_sheet(
        fakes[:8], records.sequence(gan.res), features=features), runs.origin_of(
            stylegan=gan.path.name, seed=config.seed, psi=config.psi,
            shows='in each row a generated image, then the photos nearest to it'))
    print(measure.report(result))
    print(f"done: open {options.out / 'neighbours.png'}")


def _feature_network(options, config):
    """The network whose `features` to measure in: Inception, the image tagger, or None."""
    if config.features == 'swd':
        return None
    if config.features == 'tagger':
        from tagger.image_tagger import ImageTagger
        return ImageTagger(inputs.tagger(options), config.threads)
    if not options.inception:
        raise UserError('--features inception needs --inception PATH, a frozen graph such as '
                        'classify_image_graph_def.pb')
    from stylegan.metrics.inception import Inception
    return Inception(options.inception, threads=config.threads)


def _frechet_pixels(options, config, records, fakes):
    """The figures that a training logs at every tick, for a training set that is large enough.

    Value and floor are of equally many images.
    """
    from stylegan.metrics import frechet_pixels
    reference = frechet_pixels.cached(options.out, records, fakes.shape[1], config.mirror,
                                      most=min(frechet_pixels.OTHERS, len(fakes)))
    if reference is None:
        return {}
    value, detail = frechet_pixels.measure(reference, [fakes[:reference.count]])
    return {'frechet_pixels': {'value': value, 'floor': reference.floor},
            'detail': {'value': detail, 'floor': 1.0}}


def _attributes(config, tagger, judge, reals, fakes, count):
    """What the image tagger and the second one say of generated and of real images."""
    from stylegan.metrics import measure
    from tagger.metrics import fidelity
    _, others = measure.halves(reals, count, config.seed)
    return fidelity(tagger, judge, fakes[:count], others)


def _records(options, config, gan):
    """The real images to measure against: those given, else the generator's training set."""
    from stylegan import dataset
    folder = options.records or inputs.training_folder(gan)
    if options.data or not folder:
        paths = [str(product.image) for product in inputs.pictured(options.data)]
        folder = options.out / ('records-' + inputs.fingerprint(
            [gan.res, options.fit] + [(os.path.abspath(path), os.path.getsize(path),
                                       os.path.getmtime(path)) for path in paths]))
        if not folder.exists():
            dataset.pack(paths, folder, gan.res, options.fit)
    elif not (options.records or folder.exists()):
        raise UserError(f'{folder}, the training set of {gan.path.parent}, does not exist; give '
                        'the photos with --data, or --records where it lies now')
    records = dataset.Records(folder, config.seed)
    if records.resolution < gan.res:
        raise UserError(f'{folder} was packed at {records.resolution} px, the generator draws '
                        f'{gan.res} px; give the photos with --data')
    return records


def bench_options(parser):
    """What `bench` takes."""
    parser.add_argument('names', nargs='*', metavar='NAME', help='rows to measure (default: a '
                        'quick selection); --list prints all')
    parser.add_argument('--list', action='store_true', help='print the names of all rows and stop')
    parser.add_argument('--runs', type=knobs.number(int, 1), default=5,
                        help='runs of each variant of a row (default 5)')
    parser.add_argument('--against', type=common.path,
                        help='another checkout of this project, to run in turn with this one')
    parser.add_argument('--plot', action='store_true', help='draw plot.png of the rows growth-... '
                        'and text-... that were measured before, and stop')
    common.threads(parser)
    common.out(parser, 'out/bench')


def bench(options):
    """Measure the speed of the program beside what this machine could do at best."""
    from bench import alternate, machine
    from bench.rows import ROWS
    results = options.out / 'bench.jsonl'
    if options.list:
        print('\n'.join(ROWS))
        return
    if options.plot:
        _plot(results)
        return
    unknown = [name for name in options.names if name not in ROWS]
    if unknown:
        raise UserError(f'bench has no row {unknown[0]}; see: python run.py bench --list')
    if options.against:
        files.existing(options.against / 'bench' / 'worker.py', 'checkout with a benchmark')
    flops, memory = alternate.rates(options.threads)
    print(f"{', '.join(machine.processor())}: {flops / 1e9:.0f} GFLOP/s in products of matrices, "
          f'{memory / 1e9:.1f} GB/s of memory')
    for name in options.names or [name for name, row in ROWS.items() if row.quick]:
        lines = alternate.measure(name, runs=options.runs, threads=options.threads,
                                  other=options.against)
        alternate.append(results, lines)
        print('\n'.join(alternate.text(line) for line in lines), flush=True)
    print(f'done: {results}')


def _plot(results):
    """Draw plot.png beside a file of results."""
    from bench import plot
    from dnnlib import images
    path = results.with_name('plot.png')
    images.write_png(path, plot.draw(plot.latest(results)))
    print(f'done: {path}')
