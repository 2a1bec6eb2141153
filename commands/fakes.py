"""Fake products: a generated picture, what it shows, and a description written for just that.

Knows neither model: pictures come as arrays, and seeing and writing as functions.
"""

import json

from catalog.page import build
from tagger import agreement
from dnnlib import files, images

FIGURES = [
    ('image', 'grid.png', 'Generated pictures', 'One picture per seed.'),
    ('video', 'walk.mp4', 'Latent walk', 'Every panel walks from picture to picture and home '
     'again, through everything the generator knows in between.'),
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
    """The seed of the text that takes the place of a contradicting one; `seed` itself at first."""
    return (int(seed) + attempt * 1000003) % 2 ** 32


def _drafts(seen, prompts, seeds, write_texts, check, tries):
    """A dict of text, text_seed, redrawn, agreement and unjudged for each picture.

    Texts that contradict their picture are written again, up to `tries` times; the one that
    contradicts it least is kept.
    """
    drafts = [{} for _ in seen]
    verdicts = [None] * len(seen)
    todo = range(len(seen))
    for attempt in range(1 + tries):
        numbers = [redraw_seed(seeds[i], attempt) for i in todo]
        texts = write_texts([prompts[i] for i in todo], numbers, attempt) if numbers else []
        for i, number, text in zip(todo, numbers, texts):
            verdict = check(seen[i], text)
            drafts[i]['redrawn'] = attempt
            if not attempt or verdict.wrong() < verdicts[i].wrong():
                verdicts[i] = verdict
                drafts[i].update(verdict._asdict(), text=text, text_seed=number)
        todo = [i for i in todo if verdicts[i].wrong()]
    return drafts


def write(folder, pictures, *, seeds, psi, origin, describe, write_texts, ws=None, check=None,
          tries=0, beside=None):
    """Write products.jsonl and products/*.png; returns the products as dicts.

    pictures:    uint8 [n, h, w, 3], made from `seeds` with truncation `psi`.
    origin:      what every file made here carries, see `dnnlib.origin`; seed and psi are added.
    describe:    function pictures -> list of agreement.Seen.
    write_texts: function (list of prompts, list of seeds, attempt) -> list of texts; attempt is 0
                 at first, then counts the times that texts are written again.
    ws:          float [n, w], the codes of the pictures before truncation, or None.
    check:       function (Seen, text) -> agreement.Verdict, or None: nothing is compared.
    tries:       how often a text that contradicts its picture is written again.
    beside:      function pictures -> a list of neighbours for each, as `neighbours.write`, if any.
    """
    seen = describe(pictures)
    prompts = [' '.join(picture.tags) for picture in seen]
    drafts = _drafts(seen, prompts, seeds, write_texts,
                     check or (lambda picture, text: agreement.Verdict({}, [])), tries)
    near = beside(pictures) if beside else [[]] * len(pictures)
    products = []
    for index, (seed, picture, shown, draft, others) in enumerate(
            zip(seeds, pictures, seen, drafts, near)):
        name = 'products/%06d.png' % seed
        made = dict(origin, seed=seed, psi=psi)
        images.write_png(folder / name, picture, made)
        product = dict({'seed': seed, 'psi': psi}, prompt=prompts[index], image=name,
                       neighbours=others, origin=made, **shown._asdict())
        product.update(draft)
        if ws is not None:
            product['w'] = [_number(value) for value in ws[index]]
        products.append(product)
    files.write_text(folder / 'products.jsonl', ''.join(
        json.dumps(product, ensure_ascii=False) + '\n' for product in products))
    return products


def write_page(folder, products, texts, facts, command):
    """Write index.html over everything that `samples` or `cards` has put into the folder.

    command: what makes one product again, with {} in place of its seed.
    """
    build.write(folder / 'index.html', title='These products do not exist',
               facts=[(name, str(value)) for name, value in facts.items()], command=command,
               figures=[figure for figure in FIGURES if (folder / figure[1]).exists()],
               products=products, texts=[('', text) for text in texts])
