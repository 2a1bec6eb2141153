"""Fake products: a generated picture, what it shows, and a description written for just that."""

import dataclasses
import json

from catalog.page import build
from dnnlib import files, images
from stylegan.metrics import measure

FIGURES = [
    ('image', 'grid.png', 'Generated pictures', 'One picture per seed.'),
    ('video', 'walk.mp4', 'Latent walk', 'Every panel moves from image to image and back to '
     'the first, through the latent space in between.'),
    ('image', 'truncation.png', 'Truncation', 'Each row is one seed; psi goes from 1 at the left '
     'over 0, the average product, to -1, its opposite.'),
    ('image', 'mixing.png', 'Style mixing', 'Each picture takes styles from the top row and the '
     'rest from the left: coarse in the first two rows, then middle, then fine.'),
    ('video', 'mixing.mp4', 'Style mixing, in motion', 'The style of the upper right picture is '
     'laid on the lower left one; the result is at the lower right.')]


def _number(value):
    """A float with five significant digits, for JSON."""
    return float(f'{value:.5g}')


def redraw_seed(seed, attempt):
    """The seed of the text that replaces a contradicting one; `seed` itself at first."""
    return (int(seed) + attempt * 1000003) % 2 ** 32


def _freer(sampling, attempt):
    """The Sampling for a further attempt: it chooses words more freely, for the same choice would
    give the same text again."""
    return dataclasses.replace(sampling, temperature=max(
        sampling.temperature, min(1.0, sampling.temperature + 0.15 * attempt)))


def _write_texts(seen, prompts, seeds, tagger, writer, sampling, tries):
    """A dict of text, text_seed, redrawn, agreement and unjudged for each picture.

    Texts that contradict their picture are written again, up to `tries` times; the one that
    contradicts it least is kept.
    """
    results = [{} for _ in seen]
    verdicts = [None] * len(seen)
    todo = range(len(seen))
    for attempt in range(1 + tries):
        numbers = [redraw_seed(seeds[i], attempt) for i in todo]
        texts = writer.texts([prompts[i] for i in todo], seeds=numbers,
                             sampling=_freer(sampling, attempt)) if numbers else []
        for i, number, text in zip(todo, numbers, texts):
            verdict = tagger.check(seen[i], text)
            results[i]['redrawn'] = attempt
            if not attempt or verdict.wrong() < verdicts[i].wrong():
                verdicts[i] = verdict
                results[i].update(verdict._asdict(), text=text, text_seed=number)
        todo = [i for i in todo if verdicts[i].wrong()]
    return results


def write(folder, pictures, *, seeds, psi, origin, tagger, writer, sampling, tries, w=None,
          neighbours=()):
    """Write products.jsonl and products/*.png; returns the products as dicts.

    pictures:   uint8 [n, h, w, 3], made from `seeds` with truncation `psi`.
    origin:     what every file made here carries, see `dnnlib.origin`; seed and psi are added.
    tagger:     tagger.agreement.ProductTagger or tagger.lookalikes.Lookalikes.
    writer:     gpt2.write.Writer; sampling: gpt2.config.Sampling.
    tries:      how often a text that contradicts its picture is written again.
    w:          float [n, w], the codes of the pictures before truncation, or None.
    neighbours: as `write_neighbours` returns them; or none.
    """
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
    files.write_text(folder / 'products.jsonl', ''.join(
        json.dumps(product, ensure_ascii=False) + '\n' for product in products))
    return products


def write_neighbours(folder, pictures, records, count, tagger=None):
    """Write the training pictures nearest to each picture: a person sees that it is no copy.

    pictures: uint8 [n, h, h, 3]; records: stylegan.dataset.Records; count: neighbours of each.
    tagger:   the image tagger whose features tell what is near; None: pixels of thumbnails.
    Returns for each picture a list of dicts, nearest first: 'image', the name of a file in
    `folder`, and 'distance', see `measure.nearest`. These files carry no origin, for they are not
    synthetic.
    """
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


def write_page(folder, products, texts, facts, command):
    """Write index.html over everything that `samples` or `cards` has put into the folder.

    command: what makes one product again, with {} in place of its seed.
    """
    build.write(folder / 'index.html', title='These products do not exist',
               facts=[(name, str(value)) for name, value in facts.items()], command=command,
               figures=[figure for figure in FIGURES if (folder / figure[1]).exists()],
               products=products, texts=[('', text) for text in texts])
