"""Fake products: a generated picture, what it shows, and a description written for just that.

Knows neither model: pictures come as arrays, and seeing and writing as functions.
"""

import json

from catalog import page
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


def write(folder, pictures, *, seeds, psi, describe, write_texts):
    """Write products.jsonl and products/*.png; returns the products as dicts.

    pictures:    uint8 [n, h, w, 3], made from `seeds` with truncation `psi`.
    describe:    function pictures -> list of (category, list of tags).
    write_texts: function list of prompts -> list of texts.
    """
    seen = describe(pictures)
    words = [' '.join([tag for tag in tags if tag != category] + [category] * bool(category))
             for category, tags in seen]
    texts = write_texts(words)
    products = []
    for seed, picture, (category, tags), line, text in zip(seeds, pictures, seen, words, texts):
        name = 'products/%06d.png' % seed
        images.write_png(folder / name, picture)
        products.append({'seed': seed, 'psi': psi, 'category': category, 'tags': tags,
                         'prompt': line, 'text': text, 'image': name})
    files.write_text(folder / 'products.jsonl', ''.join(
        json.dumps(product, ensure_ascii=False) + '\n' for product in products))
    return products


def write_page(folder, products, texts, facts):
    """Write index.html over everything that `run.py samples` has put into the folder."""
    page.write(folder / 'index.html', title='These products do not exist',
               facts=[(name, str(value)) for name, value in facts.items()], figures=FIGURES,
               products=products, texts=[('', text) for text in texts])
