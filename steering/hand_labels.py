"""Hand labels: a static page to click yes or no under generated images, and its `labels.csv`.

The page needs no server and no network; its images lie beside it. It saves a table with the columns
seed, psi and the name of the label, with yes or no in each cell. Other tables may omit psi, and may
hold values instead of yes: `seed,sleeve` with `7,long sleeves`.
"""

import hashlib
import math
import pathlib

import jinja2
import markupsafe
import numpy as np

from catalog import tables
from catalog.page.policy import policy
from dnnlib import files, images
from dnnlib.files import UserError
from dnnlib.knobs import LARGEST_SEED

_FOLDER = pathlib.Path(__file__).parent
_YES, _NO = ('yes', 'y', 'true', '1'), ('no', 'n', 'false', '0')
_LONGEST = 200  # characters of a name


def write(folder, name, pictures, *, seeds, psi, origin):
    """Write index.html and a PNG per image into `folder`.

    name: of the label, such as 'sleeve=long sleeves' or 'elegant'.
    pictures: uint8 [n, h, w, 3] of the seeds at truncation psi. origin: see `runs.origin_of`.
    Raises UserError if the name cannot head a column.
    """
    name = name.strip()
    if not name or name in ('seed', 'psi') or len(name) > _LONGEST or not name.isprintable():
        raise UserError(f"'{files.printable(name[:_LONGEST])}' cannot be the name of a label; "
                        'write --name elegant, for example')
    shown, content = [], hashlib.sha256(np.ascontiguousarray(pictures).tobytes()).hexdigest()[:16]
    for seed, picture in zip(seeds, pictures):
        image = f'pictures/{seed:06d}.png'
        images.write_png(folder / image, picture, dict(origin, seed=seed, psi=psi))
        shown.append((seed, image))
    style = (_FOLDER / 'label_page.css').read_text(encoding='utf-8')
    script = (_FOLDER / 'label_page.js').read_text(encoding='utf-8')
    template = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(_FOLDER)), autoescape=True, trim_blocks=True,
        undefined=jinja2.StrictUndefined).get_template('label_page.html')
    files.write_text(folder / 'index.html', template.render(
        name=name, psi=psi, content=content, pictures=shown, policy=policy(script, style),
        style=markupsafe.Markup(style), script=markupsafe.Markup(script)))


def _number(path, row, column, kind, most):
    """A cell as a number, None if it is empty. Raises UserError."""
    text = row.get(column, '').strip()
    try:
        value = kind(text) if text else None
    except ValueError:
        value = math.nan
    if value is None or (0 <= abs(value) <= most and (kind is float or value >= 0)):
        return value
    raise UserError(f"{path} has '{files.printable(text[:40])}' as {column}; that is not a "
                    + ('seed' if kind is int else 'truncation'))


def read(path):
    """A table of hand labels -> {name: list of (seed, psi or None, bool)}. Raises UserError.

    A column of yes and no gives one label of its name; a column of other words gives one label per
    word, 'column=word'. Empty cells are skipped.
    """
    path = files.existing(path, 'a labels.csv, as the page of run.py label saves it')
    rows = tables.read_rows(path)
    columns = [name for name in dict.fromkeys(name for row in rows for name in row)
               if name not in ('seed', 'psi', '')]
    if not columns or 'seed' not in rows[0]:
        raise UserError(f'{path} needs a column seed and one with yes or no, named after the '
                        'label; see: python run.py label --help')
    seeds = [_number(path, row, 'seed', int, LARGEST_SEED) for row in rows]
    psis = [_number(path, row, 'psi', float, 100.0) for row in rows]
    found = {}
    for column in columns:
        cells = [(seed, psi, row.get(column, '').strip())
                 for seed, psi, row in zip(seeds, psis, rows)]
        cells = [cell for cell in cells if cell[0] is not None and cell[2]]
        words = sorted({word for _, _, word in cells})
        if not words:
            continue
        if all(word.lower() in _YES + _NO for word in words):
            found[column] = [(seed, psi, word.lower() in _YES) for seed, psi, word in cells]
        else:
            found.update({f'{column}={value}': [(seed, psi, word == value)
                                                for seed, psi, word in cells] for value in words})
    return found
