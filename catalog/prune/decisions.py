"""What pruning decided, as files: `prune.csv` for people, `prune.json` for the program.

`prune.csv` has one row a picture: image, width, height, keep, reason, rule, every score, error.
`keep` is yes or no, and is a person's to edit. `rule` is what the rules alone said, "good" or why
not; where keep differs from it a person decided, and the next run says so: its `reason` is
"manual". An emptied keep hands the image back to the rules. `error` says why an image is
unreadable. `prune.json` says which catalogue was judged and with which thresholds. Beside them lie
the contact sheets, in the folder `sheets`.
"""

import os
import pathlib

from catalog import tables
from dnnlib import files
from dnnlib.files import UserError

COLUMNS = ('image', 'width', 'height', 'keep', 'reason', 'rule')
_TABLE, _ABOUT, SHEETS = 'prune.csv', 'prune.json', 'sheets'
_NAMES = ('image', 'duplicate_of')  # columns with names of files, which may be anything
_FORMULA = ('=', '+', '-', '@')     # what begins a formula in a spreadsheet


def default_folder(catalogue):
    """The folder for the decisions about a catalogue: beside it, named after it."""
    path = pathlib.Path(catalogue)
    if path.name in ('', '..'):
        path = path.resolve()  # '.' has no name of its own
    if not path.name:
        raise UserError(f'{path} has no name to name the results after; give a folder with --out')
    return path.with_name(f'{path.name}-pruned')


def exist(folder):
    """Whether pruning has written its decisions here."""
    return (pathlib.Path(folder) / _TABLE).is_file()


def is_sheet(path):
    """Whether an image file is a contact sheet of pruning and no product."""
    return path.parent.name == SHEETS and (path.parent.parent / _ABOUT).is_file()


def source(folder):
    """The catalogue that was judged: the path of its folder. Raises UserError."""
    path = pathlib.Path(folder) / _ABOUT
    about = files.read_json(path)
    if not isinstance(about, dict) or not isinstance(about.get('source'), str):
        raise UserError(f'{path} does not name the catalogue that was pruned; prune it again into '
                        'a new folder')
    return pathlib.Path(os.path.normpath(str(pathlib.Path(folder) / about['source'])))


def _as_cell(name):
    """A name that a spreadsheet does not take for a formula: './=1.jpg' for '=1.jpg'."""
    return f'./{name}' if name.startswith(_FORMULA) else name


def _from_cell(cell):
    return cell[2:] if cell[:2] == './' and cell[2:].startswith(_FORMULA) else cell


def is_manual(row):
    """Whether a person decided: they changed what the rules said, in this run or an earlier one."""
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
    """Which images to keep, with the edits of a person: a dict image -> bool."""
    return {name: row['rule'] == 'good' if row['keep'] == '' else row['keep'] == 'yes'
            for name, row in read(folder).items()}


def write(folder, rows, *, catalogue, options):
    """Write the rows, dicts with COLUMNS and then scores, and what they are about."""
    folder, catalogue = pathlib.Path(folder).resolve(), pathlib.Path(catalogue).resolve()
    try:
        place = os.path.relpath(str(catalogue), str(folder))
    except ValueError:  # another drive: no relative path leads there
        place = str(catalogue)
    files.write_json(folder / _ABOUT, {'source': place, 'options': options})
    cells = [dict(row, **{column: _as_cell(row[column]) for column in _NAMES if column in row})
             for row in rows]
    tables.write_rows(folder / _TABLE, list(cells[0]), cells)  # last: it says that there are any
