"""Text files as users have them: plain text, CSV as spreadsheets write it, and JSON Lines.

Each is validated within size limits; errors name the file and the line.
"""

import csv
import io
import json
import math
import pathlib
import re

from dnnlib import files
from dnnlib.files import UserError

csv.field_size_limit(2 ** 31 - 1)  # the default, 131,072 characters, is too short for texts
_END_OF_TEXT = '<|endoftext|>'
_MAX_BYTES = 2 ** 30        # of a file, which is read into memory
_MAX_LINE = 2 ** 24         # characters of a line of JSON, which takes 20 times that in memory
_MAX_COLUMNS = 2000
_MAX_CELLS = 5 * 10 ** 7     # rows times columns
_QUOTED = re.compile('"(?:[^"]|"")*"')
_SEPARATOR_LINE = re.compile('"?sep=([,;|\t])"?$', re.IGNORECASE)  # for Excel, before the header


def _line(data, place):
    """The line number, from 1, of byte `place` of `data`."""
    before = data[:place].replace(b'\r\n', b'\n').replace(b'\r', b'\n')
    return before.count(b'\n') + 1


def read_text(path):
    """The text of a UTF-8 file, or UTF-16 with a byte order mark; line ends become '\\n'.

    Raises UserError for another encoding, a NUL, and a file over 1 GiB.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise UserError(f'{path} is not a file; give the path of a text file')
    if path.stat().st_size > _MAX_BYTES:
        raise UserError(f'{path} is larger than 1 GiB; split it and give the folder of the parts')
    data = path.read_bytes()
    encoding = 'utf-16' if data[:2] in (b'\xff\xfe', b'\xfe\xff') else 'utf-8'
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UserError(f'{path} line {_line(data, error.start)} is not {encoding.upper()} text '
                        f'(byte {error.start} of the file); save it as "UTF-8" or "CSV UTF-8"')
    # Concatenated files have a byte order mark at each seam.
    text = text.replace('\ufeff', '').replace('\r\n', '\n').replace('\r', '\n')
    if '\0' in text:
        number = text.count('\n', 0, text.index('\0')) + 1
        raise UserError(f'{path} line {number} has a NUL, so it is not text; save the file as '
                        '"UTF-8" or delete the NUL')
    return text


def read_documents(path):
    """The documents of a `.txt`, stripped, none of them empty: a list of str.

    One document per line; in a file with `<|endoftext|>` separators, as for GPT-2, documents
    between these keep their line breaks. Raises UserError as `read_text` does.
    """
    text = read_text(path)
    parts = text.split(_END_OF_TEXT if _END_OF_TEXT in text else '\n')
    return [part.strip() for part in parts if part.strip()]


def _check_columns(path, columns, header):
    for column in columns:
        if column not in header:
            names = ', '.join(name for name in header if name)[:300] or 'none, the file is empty'
            hint = ('; rename the column of the texts, or name it with train-gpt2 --text-column'
                    if column == 'description' else '')
            raise UserError(f"{path} has no column '{column}'{hint}; its columns are: {names}")


def _body(text):
    """(separator, text from the header on, number of lines before the header) of a CSV."""
    body = text.lstrip(' \n')
    first, _, rest = body.partition('\n')
    declared = _SEPARATOR_LINE.match(first.strip())
    if declared:
        separator, body = declared.group(1), rest.lstrip(' \n')
    else:
        header = _QUOTED.sub('', body[:2 ** 16]).split('\n')[0]
        separator = max(',;\t', key=header.count)
    return separator, body, text[:len(text) - len(body)].count('\n')


def _header(path, cells, columns):
    header = [' '.join(name.split()) for name in cells]
    twice = sorted({name for name in header if name and header.count(name) > 1}) \
        if len(header) <= _MAX_COLUMNS else []
    if len(header) > _MAX_COLUMNS:
        raise UserError(f'{path} has {len(header)} columns; at most {_MAX_COLUMNS} are read')
    if twice:
        raise UserError(f"{path} has two columns '{twice[0]}'; rename one")
    _check_columns(path, columns, header)
    return header


def read_rows(path, columns=()):
    """A CSV file with a header line as a list of dicts of str; cells may have line breaks.

    The separator is a comma, semicolon or tab, as a first line `sep=;` says or as the header
    suggests. Blank lines are skipped. Every dict has `columns`, '' where the row is too short for
    them; other columns only as far as the row goes. Raises UserError if one of `columns` is
    missing, if a row has more cells than the header, or if the file is not CSV.
    """
    separator, body, skipped = _body(read_text(path))
    reader = csv.reader(io.StringIO(body, newline=''), strict=True, delimiter=separator)
    rows, empty, number = [], dict.fromkeys(columns, ''), skipped + 1
    try:
        header = _header(path, next(reader, []), columns)
        number = skipped + reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells[len(header):]):
                raise UserError(f'{path} line {number} has more cells than the header; put a text '
                                'with commas in double quotes')
            if len(rows) * len(header) > _MAX_CELLS:
                raise UserError(f'{path} has more than {_MAX_CELLS // len(header)} rows of '
                                f'{len(header)} columns; leave out rows or columns')
            if any(cells):
                rows.append(dict(empty, **dict(zip(header, cells))))
            number = skipped + reader.line_num + 1
    except csv.Error as error:
        raise UserError(f'{path} line {number} is not CSV ({error}); save it again as '
                        'comma-separated CSV')
    return rows


def write_rows(path, columns, rows, heading=True):
    """Write dicts as UTF-8 CSV, with a header line unless told otherwise, whole or not at all."""
    text = io.StringIO(newline='')
    writer = csv.DictWriter(text, columns, lineterminator='\n')
    if heading:
        writer.writeheader()
    writer.writerows(rows)
    files.write_text(path, text.getvalue())


def _json_object(line, where):
    if len(line) > _MAX_LINE:
        raise UserError(f'{where} has {len(line)} characters; write one product per line')
    try:
        value = json.loads(line, parse_int=str)  # a number of a million digits would take minutes
    except (ValueError, RecursionError) as error:
        raise UserError(f'{where} is not JSON ({error}); write one object per line')
    if not isinstance(value, dict):
        raise UserError(f'{where} is not an object; write lines like '
                        '{"description": "A dress."}')
    return value


def _json_cell(value):
    """A JSON value as a cell. A lone surrogate, which JSON can spell, becomes '?'."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ''
    return str(value).encode('utf-8', 'replace').decode('utf-8')


def read_json_lines(path, columns=()):
    """A .jsonl file, one JSON object per line, as a list of dicts of str; blank lines are skipped.

    Missing `columns`, null, NaN and infinity become ''; lists and objects are left out. Raises
    UserError if no line has one of `columns`, if one of these is a list or an object, and for
    invalid JSON.
    """
    rows, known = [], {}
    for number, line in enumerate(read_text(path).split('\n'), 1):
        if not line.strip():
            continue
        where = f'{path} line {number}'
        value = _json_object(line, where)
        if len(known) <= _MAX_COLUMNS:  # more are not reported
            known.update(dict.fromkeys(value))
        known.update((column, None) for column in columns if column in value)
        row = dict.fromkeys(columns, '')
        row.update((name, _json_cell(cell)) for name, cell in value.items()
                   if not isinstance(cell, (list, dict)))
        for column in columns:
            if isinstance(value.get(column), (list, dict)):
                raise UserError(f"{where}: '{column}' is a list or an object; give a column of "
                                'plain values')
        rows.append(row)
    _check_columns(path, columns, known)
    return rows


READERS = {'.csv': read_rows, '.jsonl': read_json_lines}
