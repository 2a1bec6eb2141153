"""Saves picked products as a catalogue, which every command accepts, and as one page.

    products.csv     image, description, category and the attributes that the tagger sees
    images/*.png     the images, each with its origin inside
    w.npz            ws [n, layers, w], which run.py edit, mix and walk accept in place of seeds
    index.html       all of it on one page, images included, to be shown or sent
"""

import base64
import re

from catalog import tables
from catalog.page import build
from dnnlib import files
from dnnlib.files import UserError
from stylegan import latent

MOST = 200  # picks
_NAME = re.compile(r'[\w][\w .-]{0,59}')


def caption(origin):
    """An origin in words, such as 'seed 7 · psi 0.7 · colour=red'."""
    words = [f'{name} {value}' for name, value in origin.items() if name not in ('edit', 'mix')]
    return ' · '.join(words + [str(origin[name]) for name in ('mix', 'edit') if name in origin])


def save(out, name, picks, facts):
    """Save picks in the new folder `out`/`name`; returns its path.

    picks: dicts with 'item' (items.Item), 'png' (bytes), 'text', 'prompt', and all that
           tagger.agreement tells: category, tags, attributes, probabilities, agreement, unjudged.
    facts: (label, value) pairs for the foot of the page.
    Raises UserError for a name that cannot be a folder's or is taken, and files.DiskFull.
    """
    if not _NAME.fullmatch(name) or name.endswith(('.', ' ')):
        raise UserError('give the folder a name of letters, digits, spaces and dashes, up to 60')
    if (out / name).exists():
        raise UserError(f'there is a folder {out / name} already; give another name')
    with files.disk_errors(out / name):
        out.mkdir(parents=True, exist_ok=True)
    with files.creating(out / name) as folder:
        _write(folder, picks, facts)
    return out / name


def _write(folder, picks, facts):
    (folder / 'images').mkdir()
    heads = [head for head in picks[0]['attributes'] if head != 'category']
    rows, products = [], []
    for number, pick in enumerate(picks, 1):
        image = f'images/{number:03d}.png'
        (folder / image).write_bytes(pick['png'])
        rows.append(dict({head: pick['attributes'][head] for head in heads}, image=image,
                         description=pick['text'], category=pick['category']))
        embedded = 'data:image/png;base64,' + base64.b64encode(pick['png']).decode('ascii')
        products.append(dict(pick, image=embedded, seed=number, psi=0,
                             made=caption(pick['item'].origin)))
    tables.write_rows(folder / 'products.csv', ['image', 'description', 'category'] + heads, rows)
    latent.save(folder / 'w.npz', [pick['item'].ws for pick in picks])
    build.write(folder / 'index.html', title='These products do not exist', facts=facts,
                figures=[], texts=[], products=products)
