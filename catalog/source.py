"""Any catalogue a user brings, as a list of products: pictures, descriptions, or both.

Accepted are a folder with `products.csv` (columns image, description, category and any attribute
columns) and the pictures it names, a folder of class folders of pictures, a bare folder of
pictures, a `.txt` file (see `texts`), a `.csv` or `.jsonl` file with a text column, a folder of
such text files, and a pattern that matches some, as in 'texts/*.csv'.
"""

import glob
import pathlib
import re
from typing import NamedTuple, Optional, Tuple

from catalog import decisions, jsonl, tables, texts
from dnnlib import images
from dnnlib.files import UserError

_TABLE = 'products.csv'
_NO_TAG = ('', 'none', 'n/a', 'na', 'nan', 'null', 'unknown', 'yes', 'no', 'true', 'false', '-')
_NO_ATTRIBUTE = ('truth',)  # columns of a products.csv that say nothing about the product
_ROWS = {'.csv': tables.read_rows, '.jsonl': jsonl.read_rows}
_TEXTS = ('.txt', '.csv', '.jsonl')
_NUMBER = re.compile(r'[-+]?[\d.,]+%?')


class Product(NamedTuple):
    """One product of a catalogue.

    name is the picture as `products.csv` and `prune.csv` call it, '' without one. Rows of equal
    key are the same product: a held-out split must not separate them. attributes holds (column,
    value) of all attribute columns, in plain words; '' is a value that says nothing.
    """
    image: Optional[pathlib.Path]
    name: str
    description: str
    category: str
    tags: Tuple[str, ...]
    key: str
    attributes: Tuple[Tuple[str, str], ...] = ()


def plain(value):
    """An attribute as plain lower-case words: 'Dark_Blue' -> 'dark blue'; '' says nothing."""
    words = ' '.join(value.replace('_', ' ').lower().split())
    return '' if words in _NO_TAG or _NUMBER.fullmatch(words) else words


def _attributes(row, columns):
    """(column, value) of these columns but the category, in their order."""
    return tuple((column, plain(row[column])) for column in columns if column != 'category')


def _tags(row, columns):
    """The telling values of these columns, each once, in the order of the columns."""
    words = [plain(row[column]) for column in columns]
    return tuple(word for word in dict.fromkeys(words) if word)


def _product(row, folder, text_column, tag_columns, key_column):
    """A row of a table as a Product; `folder` is where its pictures are, None for text alone."""
    name = row.get('image', '').strip() if folder else ''
    description = row[text_column].strip()
    return Product(image=folder / name if name else None, name=name, description=description,
                   category=row.get('category', '').strip(), tags=_tags(row, tag_columns),
                   key=row[key_column].strip() if key_column else description or name,
                   attributes=_attributes(row, tag_columns))


def _read_catalogue(folder, text_column, tag_columns, key_column):
    """A folder with products.csv; every attribute column is a tag unless some are chosen."""
    path = folder / _TABLE
    wanted = ['image', text_column, 'category'] + [key_column] * bool(key_column)
    rows = tables.read_rows(path, wanted + list(tag_columns))
    if rows and not tag_columns:
        others = [name for name in rows[0] if name and name not in wanted + list(_NO_ATTRIBUTE)]
        tag_columns = ['category'] + others
    products = [_product(row, folder, text_column, tag_columns, key_column) for row in rows]
    missing = [p.name for p in products if p.image and not p.image.is_file()]
    if missing:
        raise UserError('%s names %d picture file%s that do not exist, first %s; correct the image '
                        'column or add the files' % (path, len(missing),
                                                     's' if len(missing) > 1 else '', missing[0]))
    return products


def _pictures(folder):
    """The pictures in a folder and below it; the folder a picture lies in is its category."""
    products = []
    for path in sorted(folder.rglob('*')):
        place = path.relative_to(folder)
        hidden = any(part.startswith('.') for part in place.parts)
        if hidden or path.suffix.lower() not in images.SUFFIXES or decisions.is_sheet(path):
            continue
        category = plain(path.parent.name) if len(place.parts) > 1 else ''
        products.append(Product(image=path, name=place.as_posix(), description='',
                                category=category, tags=(category,) if category else (),
                                key=place.as_posix()))
    return products


def _read_file(path, text_column, tag_columns, key_column):
    """A .txt, .csv or .jsonl file of descriptions."""
    kind = path.suffix.lower()
    if kind == '.txt':
        if tag_columns or key_column:
            raise UserError('%s is a plain text and has no columns; give a .csv or .jsonl file, or '
                            'leave out the column options' % path)
        return [Product(None, '', text, '', (), text) for text in texts.documents(path)]
    if kind in _ROWS:
        wanted = [text_column] + list(tag_columns) + [key_column] * bool(key_column)
        rows = _ROWS[kind](path, wanted)
        return [_product(row, None, text_column, tag_columns, key_column) for row in rows]
    if kind in images.SUFFIXES:
        raise UserError(f'{path} is one picture; give the folder it lies in')
    raise UserError(f'{path} is no catalogue; give a folder, a .txt, a .csv or a .jsonl file')


def _read_files(paths, *columns):
    """Several text files, in the order of their names."""
    return [product for path in sorted(paths) for product in _read_file(path, *columns)]


def _read_folder(folder, text_column, tag_columns, key_column):
    """A folder without products.csv: its pictures or, if there is none, its text files."""
    products = _pictures(folder)
    if products and (tag_columns or key_column):
        raise UserError('%s has no %s, so no columns either; give the CSV file itself, or leave '
                        'out the column options' % (folder, _TABLE))
    if products:
        return products
    found = [path for path in folder.rglob('*') if path.suffix.lower() in _TEXTS
             and not any(part.startswith('.') for part in path.relative_to(folder).parts)]
    return _read_files(found, text_column, tag_columns, key_column)


def catalogue(path):
    """The catalogue that a path stands for: for a folder that pruning wrote, the one it judged."""
    path = pathlib.Path(path)
    pruned = decisions.exist(path) and not (path / _TABLE).is_file()
    return decisions.source(path) if pruned else path


def read(path, *, text_column='description', tag_columns=(), key_column=''):
    """Every product of the catalogue at `path`, in the order of the table or of the file names.

    A folder that pruning wrote stands for all of the catalogue it judged. text_column,
    tag_columns, key_column: columns of a table. Tags of a `products.csv` are its category and all
    attribute columns unless `tag_columns` names some; of another table, none. Text files in a
    folder count if there is no picture in it.
    Raises UserError: nothing there, nothing in it, a missing column or picture, not UTF-8.
    """
    columns = text_column, tag_columns, key_column
    path = catalogue(path)
    matched = [] if path.exists() else glob.glob(str(path), recursive=True)
    if not path.exists() and not matched:
        raise UserError('%s does not exist; give a folder of pictures, a .txt, .csv or .jsonl '
                        'file, or make a demo catalogue with: python run.py demo' % path)
    if matched:
        products = _read_files([pathlib.Path(name) for name in matched], *columns)
    elif path.is_file():
        products = _read_file(path, *columns)
    elif (path / _TABLE).is_file():
        products = _read_catalogue(path, *columns)
    else:
        products = _read_folder(path, *columns)
    if not products:
        raise UserError('%s holds no product: no text in a file, no line in a table and no picture '
                        '(%s)' % (path, ' '.join(images.SUFFIXES)))
    return products


def read_kept(path, *, text_column='description', tag_columns=(), key_column=''):
    """As `read`, but of a folder that pruning wrote only what it or a person kept.

    Products without a picture are kept. Raises UserError also if nothing is kept or if the
    catalogue has pictures that nobody judged.
    """
    products = read(path, text_column=text_column, tag_columns=tag_columns, key_column=key_column)
    if not decisions.exist(path):
        return products
    keep = decisions.kept(path)
    unjudged = [p.name for p in products if p.image and p.name not in keep]
    if unjudged:
        raise UserError('%s does not judge %d pictures of its catalogue, first %s; run prune again '
                        'with the same --data and --out' % (path, len(unjudged), unjudged[0]))
    products = [p for p in products if not p.image or keep[p.name]]
    if not products:
        raise UserError('%s keeps no picture; write yes in its keep column, or prune again with '
                        'milder thresholds' % path)
    return products


def with_pictures(products, path):
    """The products that have a picture; UserError if none has (`path` is named in it)."""
    found = [p for p in products if p.image]
    if not found:
        raise UserError(f'{path} has no pictures; give a folder of pictures, or one with {_TABLE}')
    return found


def with_texts(products, path):
    """The products that have a description; UserError if none has (`path` is named in it)."""
    found = [p for p in products if p.description]
    if not found:
        raise UserError('%s has no descriptions; give a .txt, .csv or .jsonl file, or a '
                        'folder with %s' % (path, _TABLE))
    return found
