"""JSON Lines: one JSON object a line, read as a table."""

import json

from catalog import texts
from dnnlib.files import UserError


def _object(line, where):
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f'{where} is not JSON ({error}); write one object a line')
    if not isinstance(value, dict):
        raise UserError('%s is no object; write lines like {"description": "A dress."}' % where)
    return value


def _cell(value):
    """A value as a cell of a table. A lone surrogate, which JSON can spell, becomes '?'."""
    return '' if value is None else str(value).encode('utf-8', 'replace').decode('utf-8')


def read_rows(path, columns):
    """A UTF-8 .jsonl file as a list of dicts of str; blank lines are left out.

    What an object lacks, or what is null there, is ''; lists and objects are no cells and are left
    out. Raises UserError if no line has one of `columns`, if one of them is a list or an object,
    and for what is not JSON.
    """
    rows, known = [], {}
    for number, line in enumerate(texts.read(path).split('\n'), 1):
        if not line.strip():
            continue
        where = '%s line %d' % (path, number)
        value = _object(line, where)
        known.update(dict.fromkeys(value))
        row = dict.fromkeys(columns, '')
        row.update((name, _cell(cell)) for name, cell in value.items()
                   if not isinstance(cell, (list, dict)))
        for column in columns:
            if isinstance(value.get(column), (list, dict)):
                raise UserError("%s: '%s' is a list or an object; give a column of plain values"
                                % (where, column))
        rows.append(row)
    for column in columns:
        if column not in known:
            raise UserError("%s has no column '%s'; its columns are: %s"
                            % (path, column, ', '.join(known) or 'none, the file is empty'))
    return rows
