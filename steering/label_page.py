"""Hand labels: a static page to click yes or no under generated pictures, and its `labels.csv`.

The page needs no server and no network; pictures lie beside it. It saves a table with the columns
seed, psi and the name of what was asked, with yes or no in it. A table made otherwise may leave psi
out, and may hold a value in place of yes: `seed,sleeve` with `7,long sleeves`.
"""

import csv
import html
import json
import pathlib
import string

from dnnlib import files, images
from dnnlib.files import UserError

_CARD = '''\
<fieldset data-seed="$seed">
<legend>Seed $seed</legend>
<img src="$image" alt="Generated picture of seed $seed" loading="lazy">
<label><input type="radio" name="s$seed" value="yes"> <span>Yes</span></label>
<label><input type="radio" name="s$seed" value="no"> <span>No</span></label>
</fieldset>'''

_YES, _NO = ('yes', 'y', 'true', '1'), ('no', 'n', 'false', '0')


def write(folder, name, pictures, *, seeds, psi, origin):
    """Write index.html and a PNG per picture into `folder`.

    name: what is asked of each picture, such as 'sleeve=long sleeves' or 'elegant'.
    pictures: uint8 [n, h, w, 3] of the seeds at truncation psi. origin: see `dnnlib.origin`.
    Raises UserError for a name that cannot be a column's.
    """
    if not name.strip() or name.strip() in ('seed', 'psi') or set(name) & set('\r\n'):
        raise UserError(f"'{name}' cannot be asked for; write --name elegant, for example")
    cards = []
    for seed, picture in zip(seeds, pictures):
        image = 'pictures/%06d.png' % seed
        images.write_png(folder / image, picture, dict(origin, seed=seed, psi=psi))
        cards.append(string.Template(_CARD).substitute(seed=seed, image=image))
    frame = pathlib.Path(__file__).with_name('label_page.html').read_text(encoding='utf-8')
    told = json.dumps({'name': name.strip(), 'psi': psi}).replace('<', '\\u003c')
    files.write_text(folder / 'index.html', string.Template(frame).substitute(
        name=html.escape(name.strip()), count=len(cards), cards='\n'.join(cards), told=told))


def _rows(path):
    path = files.existing(path, 'a labels.csv, as the page of run.py label saves it')
    try:
        with open(str(path), encoding='utf-8-sig', newline='') as table:
            rows = list(csv.DictReader(table))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f'{path} is not a readable table ({error})')
    if not rows or 'seed' not in rows[0] or len(set(rows[0]) - {'seed', 'psi', None}) < 1:
        raise UserError('%s needs a column seed and one with yes or no, named after what is asked; '
                        'see: python run.py label --help' % path)
    return path, rows


def _number(path, row, column, kind, default=None):
    try:
        return default if row.get(column) in (None, '') else kind(row[column])
    except ValueError:
        raise UserError(f"{path} has '{row[column]}' as {column}; that is no number")


def read(path):
    """A table of hand labels -> {name: list of (seed, psi or None, bool)}. Raises UserError.

    A column of yes and no gives one name, its own; a column of other words one for each word,
    'column=word'. Empty cells say nothing.
    """
    path, rows = _rows(path)
    found = {}
    for column in rows[0]:
        if column in ('seed', 'psi', None):
            continue
        cells = [(_number(path, row, 'seed', int), _number(path, row, 'psi', float),
                  (row[column] or '').strip()) for row in rows]
        cells = [cell for cell in cells if cell[0] is not None and cell[2]]
        words = sorted({word for _, _, word in cells})
        if all(word.lower() in _YES + _NO for word in words):
            found[column] = [(seed, psi, word.lower() in _YES) for seed, psi, word in cells]
        else:
            found.update({f'{column}={asked}': [(seed, psi, word == asked)
                                                      for seed, psi, word in cells]
                          for asked in words})
    return found
