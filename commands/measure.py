"""Measurements of a picture model."""

import dataclasses
import pathlib

from commands import models, options as common
from dnnlib import files, knobs
from dnnlib.files import UserError


def metrics_options(parser):
    """What `metrics` takes."""
    from stylegan.metrics.measure import Metrics
    common.stylegan(parser)
    common.data(parser, 'the catalogue to measure against (default: what the run was trained on, '
                'else the demo)')
    parser.add_argument('--records', type=pathlib.Path,
                        help='a multi-resolution TFRecord set to measure against instead')
    common.fit(parser)
    parser.add_argument('--inception', type=pathlib.Path, help='frozen graph for --features '
                        'inception: classify_image_graph_def.pb')
    common.out(parser, 'out/metrics')
    knobs.add_flags(parser, Metrics)


def metrics(options):
    """Measure generated pictures against a catalogue's, and show the photos nearest to some."""
    from dnnlib import images, runs
    from stylegan import generator
    from stylegan.metrics import measure, path_length
    how = knobs.from_flags(measure.Metrics(), options)
    gan = generator.Generator(models.stylegan(options), how.threads, how.noise)
    features, records = _features(options, how), _records(options, how, gan)

    def styles(z):
        return gan.truncate(gan.w(z), how.psi)
    count = min(how.count, records.count)
    reals = records.batch(0, count, gan.res, mirror=how.mirror)
    seeds = range(how.seed, how.seed + (count + 1) // 2)
    fakes = gan.pictures(styles(gan.seeded(seeds)))
    result = measure.measure(reals, fakes, seed=how.seed, features=features)
    if how.path_length:
        name = 'path_length' if features else 'path_length_pixels'
        result['figures'][name] = {'value': path_length.path_length(
            styles, gan.images, features or path_length.pixels, latent_size=gan.latent_size,
            count=how.path_length, seed=how.seed)}
    result['of'] = dict(dataclasses.asdict(how), stylegan=str(gan.path))
    files.write_json(options.out / 'metrics.json', result)
    images.write_png(options.out / 'neighbours.png', measure.neighbours(
        fakes[:8], records.sequence(gan.res), features=features), runs.origin_of(
            stylegan=gan.path.name, seed=how.seed, psi=how.psi,
            shows='in each row a generated picture, then the photos nearest to it'))
    print(measure.report(result))
    print(f"done: open {options.out / 'neighbours.png'}")


def _features(options, how):
    """The function pictures -> features to measure by, or None for patches."""
    if how.features == 'swd':
        return None
    if not options.inception:
        raise UserError('--features inception needs --inception PATH, a frozen graph such as '
                        'classify_image_graph_def.pb')
    from stylegan.metrics.inception import Inception
    return Inception(options.inception, threads=how.threads)


def _records(options, how, gan):
    """The real pictures to measure against: those given, else the generator's training set."""
    from catalog import demo_default
    from stylegan import dataset
    own = gan.path.parent / 'records'
    folder = options.records or own
    if options.data or not (options.records or own.exists()):
        products = demo_default.pictured(options.data)
        folder = options.out / ('records-' + models.fingerprint(
            [gan.res, options.fit] + [product.name for product in products]))
        if not folder.exists():
            dataset.pack([product.image for product in products], folder, gan.res, options.fit)
    records = dataset.Records(folder, how.seed)
    if records.resolution < gan.res:
        raise UserError(f'{folder} was packed at {records.resolution} px, the generator draws '
                        f'{gan.res} px; give the photos with --data')
    return records
