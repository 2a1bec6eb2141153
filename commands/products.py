"""Fake products: generated pictures, what they show, texts that fit, and a page of them all."""

import shlex
import sys

from commands import models
from commands import options as common
from dnnlib import files, knobs


def samples_options(parser):
    """What `samples` takes."""
    _products_options(parser, 'out/samples')
    parser.add_argument('--frames', type=knobs.number(int, 1), default=40, help='frames of the '
                        'videos from one image to the next (default 40)')
    common.writing(parser)


def samples(options):
    """Generate fake products: grids, videos, texts and a page that shows them all."""
    from dnnlib import images, runs, video
    from gpt2.config import Sampling
    from gpt2.write import Writer, report
    from stylegan import figures
    from stylegan.generator import Generator
    from tagger.agreement import ProductTagger
    sampling = knobs.from_flags(Sampling(), options)
    gan = Generator(models.stylegan(options), sampling.threads, options.noise)
    writer = Writer(models.gpt2(options), sampling.threads)
    taggers = ProductTagger(models.tagger(options), sampling.threads)
    out, psi, seed = options.out, options.psi, sampling.seed
    origin = runs.origin_of(stylegan=gan.path.name, seed=seed, psi=psi)
    images.write_png(out / 'grid.png', figures.grid(gan, common.seeds(seed, 40), psi=psi), origin)
    images.write_png(out / 'truncation.png', figures.truncation(gan, common.seeds(seed, 4)),
                     dict(origin, psi='1 to -1'))
    images.write_png(out / 'mixing.png', figures.mixing(gan, seed, psi=psi), origin)
    video.write_mp4(out / 'walk.mp4', figures.walk(gan, seed, psi=psi, frames=options.frames),
                    origin=origin)
    video.write_mp4(out / 'mixing.mp4',
                    figures.mixing_walk(gan, seed, psi=psi, frames=options.frames), origin=origin)
    texts = writer.texts([''] * options.count, seeds=common.seeds(seed, options.count),
                         sampling=sampling)
    files.write_text(out / 'descriptions.txt', report(texts))
    _write_products(options, sampling, gan, writer, taggers, texts)


def cards_options(parser):
    """What `cards` takes."""
    _products_options(parser, 'out/cards')
    common.writing(parser)


def cards(options):
    """Generate fake products only: images, their attributes, matching texts, and a page."""
    from gpt2.config import Sampling
    from gpt2.write import Writer
    from stylegan.generator import Generator
    from tagger.agreement import ProductTagger
    sampling = knobs.from_flags(Sampling(), options)
    gan = Generator(models.stylegan(options), sampling.threads, options.noise)
    writer = Writer(models.gpt2(options), sampling.threads)
    taggers = ProductTagger(models.tagger(options), sampling.threads)
    _write_products(options, sampling, gan, writer, taggers)


def _products_options(parser, folder):
    """What `samples` and `cards` both take."""
    common.stylegan(parser)
    common.tagger(parser)
    common.out(parser, folder)
    common.psi(parser)
    parser.add_argument('--noise', type=knobs.number(float), default=1.0,
                        help='strength of the noise inputs of networks that have any: 1 as '
                        'trained, 0 smooth (default 1)')
    parser.add_argument('--count', type=knobs.number(int, 1), default=12,
                        help='products to make (default 12)')
    common.tries(parser, 10)
    parser.add_argument('--neighbours', type=knobs.number(int, 0), default=3,
                        help='training pictures to show beside each product, the nearest; 0: '
                        'none (default 3)')


def _write_products(options, sampling, gan, writer, taggers, texts=()):
    """Write the products and their page; print how many texts agree with their pictures.

    sampling: gpt2.config.Sampling; texts: written from nothing, for the page.
    """
    from commands import fakes
    from dnnlib import runs
    from tagger.agreement import report
    out, psi = options.out, options.psi
    seeds = common.seeds(sampling.seed, options.count)
    tagger = models.lookalikes(options, gan, taggers.images) or taggers
    w = gan.w(gan.seeded(seeds))
    pictures = gan.pictures(gan.truncate(w, psi))
    records = models.training_records(gan) if options.neighbours else None
    products = fakes.write(
        out, pictures, seeds=seeds, psi=psi, w=w, origin=runs.origin_of(stylegan=gan.path.name),
        tagger=tagger, writer=writer, sampling=sampling, tries=options.tries,
        neighbours=fakes.write_neighbours(out, pictures, records, options.neighbours,
                                          tagger.images) if records else ())
    fakes.write_page(out, products, texts, facts=dict(
        runs.provenance(), stylegan=str(gan.path), gpt2=str(models.gpt2(options)),
        tagger=str(tagger.path), psi=psi, seed=sampling.seed), command=again(sys.argv[2:]))
    if tagger.texts:
        print(report(products))
    print(f"done: open {out / 'index.html'}")


def again(arguments):
    """The command that makes one product of a call again, with {} in place of its seed.

    arguments: what was typed behind `samples` or `cards`.
    """
    typed, kept = iter(arguments), []
    for word in typed:
        name, equals, _ = word.partition('=')
        if name not in ('--seed', '--count', '--out', '--frames'):
            kept.append(shlex.quote(word))
        elif not equals:
            next(typed, None)  # its value
    return ' '.join(['python run.py cards --seed {} --count 1'] + kept)
