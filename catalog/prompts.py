"""What to write about: prompts from a text file, or from the tags in the rows of a table."""

from catalog import source, tables, texts
from dnnlib import files
from dnnlib.files import UserError


def read(path, columns=()):
    """The prompts of a file, a list of strings.

    path: a text file with one prompt a line, or a .csv file, of which `columns` make a prompt per
    row: their values in plain words, each word once. Raises UserError for anything else.
    """
    path = files.existing(path, 'the prompts, a .txt or .csv file')
    if columns:
        rows = [[source.plain(row[column]) for column in columns]
                for row in tables.read_rows(path, columns)]
        prompts = [' '.join(word for word in dict.fromkeys(row) if word) for row in rows]
    elif path.suffix.lower() == '.csv':
        raise UserError(f'{path} is a table; name its columns with --tag-columns')
    else:
        prompts = [line.strip() for line in texts.read(path).split('\n') if line.strip()]
    if not prompts:
        raise UserError(f'{path} holds no prompt; write one a line')
    return prompts
