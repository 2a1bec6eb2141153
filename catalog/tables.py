"""CSV files in UTF-8: read with errors a person can act on, written whole."""

import csv
import io

from catalog import texts
from dnnlib import files
from dnnlib.files import UserError

csv.field_size_limit(2 ** 31 - 1)  # its own, 131,072 characters, is less than a text may have


def read_rows(path, columns=()):
    """A CSV file with a header line as a list of dicts of str; line breaks inside cells survive.

    Columns may be separated by commas, or as some spreadsheets do by semicolons or tabs.
    Cells missing at the end of a row are ''. Raises UserError if one of `columns` is missing,
    if a row has more cells than the header, or if the file is no UTF-8 CSV.
    """
    text = texts.read(path)
    separator = max(',;\t', key=text.split('\n')[0].count)
    reader = csv.DictReader(io.StringIO(text, newline=''), restval='', strict=True,
                            delimiter=separator)
    try:
        header = [name.strip() for name in reader.fieldnames or []]
        for column in columns:
            if column not in header:
                raise UserError("%s has no column '%s'; its columns are: %s"
                                % (path, column, ', '.join(header) or 'none, the file is empty'))
        reader.fieldnames = header
        rows = []
        for row in reader:
            if None in row:
                raise UserError('%s line %d has more cells than the header; put a text with commas '
                                'in double quotes' % (path, reader.line_num))
            rows.append(dict(row))
    except csv.Error as error:
        raise UserError('%s line %d is not CSV (%s); save it again as comma-separated CSV'
                        % (path, reader.line_num, error))
    return rows


def write_rows(path, columns, rows):
    """Write dicts as UTF-8 CSV with a header line, whole or not at all."""
    text = io.StringIO(newline='')
    writer = csv.DictWriter(text, columns, lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    files.write_text(path, text.getvalue())
