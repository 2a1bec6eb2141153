"""The decisions of pruning as files: `prune.csv` for people, `prune.json` for the program.

`prune.csv` has one row per image: image, width, height, keep, reason, rule, every score, error.
`keep`, yes or no, is for a person to edit; empty means: by the rules. `rule` is the result of the
rules, "good" or the reason against it. Where keep differs from it, the next run sets `reason` to
"manual". `error` says why an image is unreadable. `prune.json` holds the path of the catalogue and
the thresholds. The contact sheets are in the folder `sheets`.
"""

import os
import pathlib

from catalog import tables
from dnnlib import files
from dnnlib.files import UserError

COLUMNS = ('image', 'width', 'height', 'keep', 'reason', 'rule')
_TABLE, _ABOUT, SHEETS = 'prune.csv', 'prune.json', 'sheets'
_NAMES = ('image', 'duplicate_of')  # columns of file names, which may be anything
_FORMULA = ('=', '+', '-', '@')     # beginnings of a formula in a spreadsheet


def default_folder(catalogue):
    """The default folder for the decisions about a catalogue, beside it. Raises UserError."""
    path = pathlib.Path(catalogue)
    if path.name in ('', '..'):
        path = path.resolve()  # '.' has no name of its own
    if not path.name:
        raise UserError(f'{path} has no name to derive an output folder from; give one with --out')
    return path.with_name(f'{path.name}-pruned')


def exist(folder):
    """Whether pruning has written its decisions here."""
    return (pathlib.Path(folder) / _TABLE).is_file()


def is_sheet(path):
    """Whether an image file is a contact sheet of pruning."""
    return path.parent.name == SHEETS and (path.parent.parent / _ABOUT).is_file()


def source(folder):
    """The path of the catalogue that was pruned. Raises UserError."""
    path = pathlib.Path(folder) / _ABOUT
    about = files.read_json(path)
    if not isinstance(about, dict) or not isinstance(about.get('source'), str):
        raise UserError(f'{path} does not name the catalogue that was pruned; prune it again into '
                        'a new folder')
    return pathlib.Path(os.path.normpath(str(pathlib.Path(folder) / about['source'])))


def _as_cell(name):
    """A name that a spreadsheet does not interpret as a formula: './=1.jpg' for '=1.jpg'."""
    return f'./{name}' if name.startswith(_FORMULA) else name


def _from_cell(cell):
    return cell[2:] if cell[:2] == './' and cell[2:].startswith(_FORMULA) else cell


def is_manual(row):
    """Whether a person has overridden the rules, since the last run or before."""
    by_rule = 'yes' if row['rule'] == 'good' else 'no'
    return row['keep'] != '' and (row['keep'] != by_rule or row['reason'] == 'manual')


def read(folder):
    """The rows of prune.csv by image, dicts of str; an empty keep lets the rules decide.

    Raises UserError for a keep that is not 'yes', 'no' or ''.
    """
    path = pathlib.Path(folder) / _TABLE
    rows = {_from_cell(row['image']): row for row in tables.read_rows(path, COLUMNS)}
    for name, row in rows.items():
        row['keep'] = row['keep'].strip().lower()
        if row['keep'] not in ('yes', 'no', ''):
            raise UserError(f"{path}, image {name}: keep is '{row['keep']}'; write yes or no")
    return rows


def kept(folder):
    """{image: whether to keep it}, including manual decisions."""
    return {name: row['rule'] == 'good' if row['keep'] == '' else row['keep'] == 'yes'
            for name, row in read(folder).items()}


def write(folder, rows, *, catalogue, options):
    """Write both files. rows: dicts of COLUMNS and scores; options: the thresholds."""
    folder, catalogue = pathlib.Path(folder).resolve(), pathlib.Path(catalogue).resolve()
    try:
        place = os.path.relpath(str(catalogue), str(folder))
    except ValueError:  # another drive: no relative path leads there
        place = str(catalogue)
    files.write_json(folder / _ABOUT, {'source': place, 'options': options})
    cells = [dict(row, **{column: _as_cell(row[column]) for column in _NAMES if column in row})
             for row in rows]
    tables.write_rows(folder / _TABLE, list(cells[0]), cells)  # last: `exist` looks for it
