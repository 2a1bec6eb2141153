"""Fake products: generated images, what they show, texts that fit, and a page of them all."""

import concurrent.futures
import json
import re
import shlex
import sys

from commands import inputs
from commands import options as common
from dnnlib import files, knobs
from dnnlib.files import UserError

_FPS = 24  # frames per second of the videos
_FIGURES = [
    ('image', 'grid.png', 'Generated images', 'One image per seed.'),
    ('video', 'walk.mp4', 'Latent walk', 'Every panel moves from image to image and back to '
     'the first, through the latent space in between.'),
    ('image', 'truncation.png', 'Truncation', 'Each row is one seed; psi goes from 1 at the left '
     'over 0, the average product, to -1, its opposite.'),
    ('image', 'mixing.png', 'Style mixing', 'Each image takes styles from the top row and the '
     'rest from the left: coarse in the first two rows, then middle, then fine.'),
    ('video', 'mixing.mp4', 'Style mixing, in motion', 'The style of the upper right image is '
     'laid on the lower left one; the result is at the lower right.')]


def samples_options(parser):
    """What `samples` takes."""
    _products_options(parser, 'out/samples')
    parser.add_argument('--frames', type=knobs.number(int, 1), default=_FPS, help='frames of the '
                        f'videos from one image to the next, {_FPS} a second (default {_FPS})')
    common.writing(parser)


def samples(options):
    """Generate fake products: grids, videos, texts and a page that shows them all."""
    from gpt2.write import report
    sampling, gan, writer, taggers = _models(options)
    out, seed = options.out, sampling.seed
    if options.shard.whole():
        _write_figures(options, gan, seed)
    seeds = _seeds(options, sampling)
    texts = writer.texts([''] * len(seeds), seeds=seeds, sampling=sampling)
    files.write_text(out / 'descriptions.txt', report(
        texts, options.shard.range(options.count)[0] + 1))
    _make_products(options, sampling, gan, writer, taggers, _FIGURES, texts)


def _write_figures(options, gan, seed):
    """Write grids and videos, those of _FIGURES."""
    from dnnlib import images, runs, video
    from stylegan import figures
    out, psi = options.out, options.psi
    origin = runs.origin_of(stylegan=gan.path.name, seed=seed, psi=psi)
    images.write_png(out / 'grid.png', figures.grid(gan, common.seeds(seed, 40), psi=psi), origin)
    images.write_png(out / 'truncation.png', figures.truncation(gan, common.seeds(seed, 4)),
                     dict(origin, psi='1 to -1'))
    images.write_png(out / 'mixing.png', figures.mixing(gan, seed, psi=psi), origin)

    def write_video(name, frames):
        video.write_mp4(out / name, frames(gan, seed, psi=psi, frames=options.frames), fps=_FPS,
                        origin=origin)
    with concurrent.futures.ThreadPoolExecutor() as threads:  # what one leaves idle, another uses
        videos = [threads.submit(write_video, 'walk.mp4', figures.walk),
                  threads.submit(write_video, 'mixing.mp4', figures.mixing_walk)]
    for done in videos:
        done.result()  # raises what went wrong


def cards_options(parser):
    """What `cards` takes."""
    _products_options(parser, 'out/cards')
    common.writing(parser)


def cards(options):
    """Generate fake products only: images, their attributes, matching texts, and a page."""
    _make_products(options, *_models(options))


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
    common.shard(parser, 'A part has products and texts, but no page and no figures')
    common.tries(parser, 10)
    parser.add_argument('--neighbours', type=knobs.number(int, 0), default=3,
                        help='nearest training images to show beside each product; 0: '
                        'none (default 3)')


def _models(options):
    """The Sampling of texts, then the Generator, the Writer and the ProductTagger to use."""
    from gpt2.config import Sampling
    from gpt2.write import Writer
    from stylegan.generator import Generator
    from tagger.agreement import ProductTagger
    common.check_shard(options)
    sampling = knobs.from_flags(Sampling(), options)
    common.check_part(options.shard, options.out / 'products.jsonl', _seeds(options, sampling))
    return (sampling, Generator(inputs.stylegan(options), sampling.threads, options.noise),
            Writer(inputs.gpt2(options), sampling.threads, sampling.int8),
            ProductTagger(inputs.tagger(options), sampling.threads))


def _seeds(options, sampling):
    """The seeds of the products that this process, or part, makes. Raises UserError for none."""
    first, last = options.shard.range(options.count)
    return common.seeds(sampling.seed, options.count)[first:last]


def _make_products(options, sampling, gan, writer, taggers, figures=(), texts=()):
    """Write the products and their page; print how many texts agree with their images.

    sampling: gpt2.config.Sampling; figures: those of _FIGURES, and texts, written from nothing: for
    the page.
    """
    from dnnlib import runs
    from tagger.agreement import report
    out, psi = options.out, options.psi
    seeds = _seeds(options, sampling)
    tagger = inputs.lookalikes(options, gan, taggers.images) or taggers
    w = gan.w(gan.seeded(seeds))
    pictures = gan.pictures(gan.truncate(w, psi))
    records = inputs.training_records(gan) if options.neighbours else None
    products = write_products(
        out, pictures, seeds=seeds, psi=psi, w=w, origin=runs.origin_of(stylegan=gan.path.name),
        tagger=tagger, writer=writer, sampling=sampling, tries=options.tries,
        neighbours=write_neighbours(out, pictures, records, options.neighbours,
                                    tagger.images) if records else ())
    if not options.shard.whole():
        print(f'done: {len(products)} products are in {out}')
        return
    _write_page(out, products, figures, texts, facts=dict(
        runs.provenance(), stylegan=str(gan.path), gpt2=str(writer.path),
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
        if name not in ('--seed', '--count', '--out', '--frames', '--shard'):
            kept.append(shlex.quote(word))
        elif not equals:
            next(typed, None)  # its value
    return ' '.join(['python run.py cards --seed {} --count 1'] + kept)


def _number(value):
    """A float with five significant digits, for JSON."""
    return float(f'{value:.5g}')


def _write_texts(seen, prompts, seeds, tagger, writer, sampling, tries):
    """A dict of text, text_seed, redrawn, agreement and unjudged for each image.

    Texts that contradict their image are written again, up to `tries` times; the one that
    contradicts it least is kept.
    """
    from gpt2 import write
    results = [{} for _ in seen]
    verdicts = [None] * len(seen)
    todo = range(len(seen))
    for attempt in range(1 + tries):
        numbers = [write.redraw_seed(seeds[i], attempt) for i in todo]
        texts = writer.texts([prompts[i] for i in todo], seeds=numbers,
                             sampling=write.redrawn(sampling, attempt)) if numbers else []
        for i, number, text in zip(todo, numbers, texts):
            verdict = tagger.check(seen[i], text)
            results[i]['redrawn'] = attempt
            if not attempt or verdict.wrong() < verdicts[i].wrong():
                verdicts[i] = verdict
                results[i].update(verdict._asdict(), text=text, text_seed=number)
        todo = [i for i in todo if verdicts[i].wrong()]
    return results


def write_products(folder, pictures, *, seeds, psi, origin, tagger, writer, sampling, tries, w=None,
                   neighbours=()):
    """Write products.jsonl and products/*.png; returns the products as dicts.

    pictures:   uint8 [n, h, w, 3], with truncation `psi`.
    seeds:      a number per image, for its name and its text; that of its z, if there is one.
    origin:     what every file made here carries, see `runs.origin_of`; seed and psi are added.
    tagger:     tagger.agreement.ProductTagger or tagger.lookalikes.Lookalikes.
    writer:     gpt2.write.Writer; sampling: gpt2.config.Sampling.
    tries:      how often a text that contradicts its image is written again.
    w:          float [n, w], the codes of the images before truncation, or None.
    neighbours: as `write_neighbours` returns them; or none.
    """
    from dnnlib import images
    table = folder / 'products.jsonl'
    before = _images_in(table)
    seen = tagger.describe(pictures)
    prompts = [' '.join(picture.tags) for picture in seen]
    texts = _write_texts(seen, prompts, seeds, tagger, writer, sampling, tries)
    products = []
    for index, (seed, picture) in enumerate(zip(seeds, pictures)):
        name = f'products/{seed:06d}.png'
        made = dict(origin, seed=seed, psi=psi)
        images.write_png(folder / name, picture, made)
        product = dict({'seed': seed, 'psi': psi}, prompt=prompts[index], image=name,
                       neighbours=neighbours[index] if neighbours else [], origin=made,
                       **seen[index]._asdict())
        product.update(texts[index])
        if w is not None:
            product['w'] = [_number(value) for value in w[index]]
        products.append(product)
    files.write_text(table, ''.join(
        json.dumps(product, ensure_ascii=False) + '\n' for product in products))
    for name in before - _images_of(products):  # photos among them: they are not to be published
        files.remove(folder / name)
    return products


def _images_of(products):
    """The files that products, as dicts, name: their images and those of their neighbours."""
    return {name for product in products for name in [product['image']] + [
        each['image'] for each in product['neighbours']]}


def _images_in(table):
    """The files that a products.jsonl lists; none where it is missing or damaged."""
    try:
        names = _images_of(files.parse_json(line) for line in files.read_text(
            table, limit=1 << 30).splitlines()) if table.exists() else ()
        return {name for name in names if re.fullmatch(r'products/(neighbours/)?\d+\.png', name)}
    except (UserError, ValueError, KeyError, TypeError):
        return set()


def write_neighbours(folder, pictures, records, count, tagger=None):
    """Write the training images nearest to each image: a person sees that it is no copy.

    pictures: uint8 [n, h, h, 3]; records: stylegan.dataset.Records; count: neighbours of each.
    tagger:   the image tagger whose features tell what is near; None: pixels of thumbnails.
    Returns for each image a list of dicts, nearest first: 'image', the name of a file in
    `folder`, and 'distance', see `measure.nearest`. These files carry no origin, for they are not
    synthetic.
    """
    from dnnlib import images
    from stylegan.metrics import measure
    photos = records.sequence(pictures.shape[1])
    result = []
    for indices, distances in zip(*measure.nearest(
            pictures, photos, features=tagger and tagger.features, count=count)):
        result.append([])
        for index, distance in zip(indices, distances):
            name = f'products/neighbours/{index:05d}.png'
            images.write_png(folder / name, photos[index:index + 1][0])
            result[-1].append({'image': name, 'distance': round(float(distance), 3)})
    return result


def _write_page(folder, products, figures, texts, facts, command):
    """Write index.html over what `samples` or `cards` has put into the folder.

    command: what makes one product again, with {} in place of its seed.
    """
    from catalog.page import build
    build.write(folder / 'index.html', title='These products do not exist',
               facts=[(name, str(value)) for name, value in facts.items()], command=command,
               figures=figures, products=products, texts=[('', text) for text in texts])
