"""Any catalogue a user brings, as a list of products: images, descriptions, or both.

Accepted are a folder with `products.csv` (columns image, description, category and any attribute
columns) and the images it names, a folder of images, in one folder per category or not, a `.txt`
file (see `tables`), a `.csv` or `.jsonl` file with a text column, a folder of such text files, and
a glob pattern that matches some, as in 'texts/*.csv'.
"""

import collections
import functools
import glob
import os
import pathlib
import re
from typing import NamedTuple, Optional, Tuple

from catalog import tables
from catalog.prune import decisions
from dnnlib import files, images
from dnnlib.files import UserError

_TABLE = 'products.csv'
_TEXTS = ('.txt',) + tuple(tables.READERS)
_MISSING = ('', 'nan', '-nan', 'none', 'null', 'n/a', '#n/a', 'na', '#na', '<na>', 'nat')
_NO_VALUE = _MISSING + ('unknown', 'yes', 'no', 'true', 'false', '-')
_NO_ATTRIBUTE = ('truth',)  # of the demo: the kind of shot, not of product
_LONGEST = 60       # characters of an attribute's value; longer ones are texts
_MOST_VALUES = 30   # distinct values of an attribute, or one in four products if that is more
_NUMBER = re.compile(r'[-+]?[\d.,]+%?')


class Product(NamedTuple):
    """One product of a catalogue.

    name: the image as `products.csv` and `prune.csv` call it, '' without one. key: rows with equal
    keys are variants of one product, which a held-out split must not separate. attributes:
    (column, value) of all attribute columns, in plain words; '' for a missing value.
    """
    image: Optional[pathlib.Path]
    name: str
    description: str
    category: str
    tags: Tuple[str, ...]
    key: str
    attributes: Tuple[Tuple[str, str], ...] = ()


def _text(value):
    """A stripped cell; '' for missing values such as NaN."""
    value = value.strip()
    return '' if value.lower() in _MISSING else value


def _words(value):
    return ' '.join(value.replace('_', ' ').lower().split())


@functools.lru_cache(maxsize=2 ** 16)
def plain(value):
    """An attribute as plain lower-case words: 'Dark_Blue' -> 'dark blue'.

    '' for what is not an attribute: missing values, numbers, yes and no, and texts.
    """
    words = _words(value)
    no_words = words in _NO_VALUE or len(words) > _LONGEST or _NUMBER.fullmatch(words)
    return '' if no_words else words


@functools.lru_cache(maxsize=2 ** 16)
def _attribute(column, value):
    """(column, value in plain words): one object shared by all products that have it."""
    return column, plain(value)


def attribute_columns(rows, others=()):
    """The columns of a table, except `others`, with attributes: short values that products share.

    Returns (columns, {column: why it is not an attribute}); empty columns are in neither.
    """
    values = collections.OrderedDict()
    for row in rows:
        for column, value in row.items():
            if column and column not in others and _text(value):
                counts = values.setdefault(column, collections.Counter())
                counts[plain(value) or ('' if len(value) > _LONGEST else None)] += 1
    kept, left_out = [], {}
    for column, counts in values.items():
        texts, numbers = counts.pop('', 0), counts.pop(None, 0)
        if not counts:
            left_out[column] = 'texts' if texts >= numbers else 'numbers, yes or no'
        elif len(counts) > max(_MOST_VALUES, sum(counts.values()) / 4):
            left_out[column] = 'nearly every product has its own'
        else:
            kept.append(column)
    return kept, left_out


def _product(row, folder, text_column, tag_columns, key_column):
    """A row of a table as a Product; folder: of the images, None for texts alone."""
    name = _text(row.get('image', '')) if folder else ''
    description = _text(row[text_column])
    attributes = tuple(_attribute(column, row.get(column, '')) for column in tag_columns)
    return Product(image=folder / name if name else None, name=name, description=description,
                   category=_text(row.get('category', '')),
                   tags=tuple(dict.fromkeys(value for _, value in attributes if value)),
                   key=(_text(row[key_column]) if key_column else '') or description or name,
                   attributes=tuple(one for one in attributes if one[0] != 'category'))


def _read_catalogue(folder, text_column, tag_columns, key_column):
    """A folder with products.csv; tags are the chosen columns or all attribute columns."""
    path = folder / _TABLE
    needed = ['image', text_column, 'category'] + [key_column] * bool(key_column)
    rows = tables.read_rows(path, needed + list(tag_columns))
    if not tag_columns:
        attributes, left_out = attribute_columns(rows, needed + list(_NO_ATTRIBUTE))
        tag_columns = ['category'] + attributes
        if left_out:
            reasons = ', '.join(f'{column} ({why})' for column, why in left_out.items())
            print(files.printable(f'{path}: columns that are not attributes: {reasons}'))
    products = [_product(row, folder, text_column, tag_columns, key_column) for row in rows]
    pictures = [p for p in products if p.image]
    if pictures and not any(os.path.isfile(str(p.image)) for p in pictures):
        raise UserError(f'{path} names {len(pictures)} image files, none of which exists, first '
                        f'{pictures[0].name}; correct the image column or add the files')
    return products


def _pictures(folder):
    """The photos in a folder and its subfolders; the subfolder is the category."""
    products = []
    for path in sorted(folder.rglob('*')):
        place = path.relative_to(folder)
        hidden = any(part.startswith('.') for part in place.parts)
        if hidden or decisions.is_sheet(path) or not images.is_photo(path):
            continue
        name = files.printable(place.as_posix())
        category = _words(files.printable(path.parent.name)) if len(place.parts) > 1 else ''
        products.append(Product(image=path, name=name, description='', category=category,
                                tags=(category,) if category else (), key=name))
    return products


def _read_file(path, text_column, tag_columns, key_column):
    """A .txt, .csv or .jsonl file of descriptions."""
    kind = path.suffix.lower()
    if kind == '.txt':
        if tag_columns or key_column:
            raise UserError(f'{path} is a plain text and has no columns; give a .csv or .jsonl '
                            'file, or leave out the column options')
        texts = [_text(text) for text in tables.read_documents(path)]
        return [Product(None, '', text, '', (), text) for text in texts if text]
    if kind in tables.READERS:
        needed = [text_column] + list(tag_columns) + [key_column] * bool(key_column)
        rows = tables.READERS[kind](path, needed)
        return [_product(row, None, text_column, tag_columns, key_column) for row in rows]
    if images.is_photo(path):
        raise UserError(f'{path} is one image; give the folder it lies in')
    raise UserError(f'{path} is not a catalogue; give a folder, a .txt, a .csv or a .jsonl file')


def _read_files(paths, *columns):
    """Several text files, in the order of their names."""
    return [product for path in sorted(paths) for product in _read_file(path, *columns)]


def _read_folder(folder, text_column, tag_columns, key_column):
    """A folder without products.csv: its images or, if there are none, its text files."""
    products = _pictures(folder)
    if products and (tag_columns or key_column):
        raise UserError(f'{folder} has no {_TABLE}, so no columns either; give the CSV file '
                        'itself, or leave out the column options')
    if products:
        return products
    found = [path for path in folder.rglob('*') if path.suffix.lower() in _TEXTS
             and not any(part.startswith('.') for part in path.relative_to(folder).parts)]
    return _read_files(found, text_column, tag_columns, key_column)


def catalogue(path):
    """The catalogue at a path; of an output folder of pruning, the catalogue that was pruned."""
    path = pathlib.Path(path)
    pruned = decisions.exist(path) and not (path / _TABLE).is_file()
    return decisions.source(path) if pruned else path


def read(path, *, text_column='description', tag_columns=(), key_column=''):
    """Every product of the catalogue at `path`, in the order of the table or of the file names.

    An output folder of pruning stands for the entire catalogue that was pruned. text_column,
    tag_columns, key_column: columns of a table. By default the tags of a `products.csv` are its
    category and all attribute columns; other tables have none. Text files in a folder are read if
    it has no images.
    Raises UserError: nothing there, no products, a missing column, none of the images exists.
    """
    columns = text_column, tag_columns, key_column
    path = catalogue(path)
    matched = [] if os.path.exists(str(path)) else glob.glob(str(path), recursive=True)
    if not os.path.exists(str(path)) and not matched:
        raise UserError(f'{path} does not exist; give a folder of images, a .txt, .csv or .jsonl '
                        'file, or make a demo catalogue with: python run.py demo')
    if matched:
        products = _read_files([pathlib.Path(name) for name in matched], *columns)
    elif path.is_file():
        products = _read_file(path, *columns)
    elif (path / _TABLE).is_file():
        products = _read_catalogue(path, *columns)
    else:
        products = _read_folder(path, *columns)
    if not products:
        raise UserError(f'{path} has no products: no texts, no table rows and no '
                        f"images ({' '.join(images.SUFFIXES)})")
    return products


def read_kept(path, *, key_column=''):
    """As `read`, but from an output folder of pruning, only what the rules or a person kept.

    Products without an image are kept. Also raises UserError if nothing is kept or if the
    catalogue has images that were not pruned.
    """
    products = read(path, key_column=key_column)
    if not decisions.exist(path):
        return products
    keep = decisions.kept(path)
    missing = [p.name for p in products if p.image and p.name not in keep]
    if missing:
        raise UserError(f'{path} has no decision on {len(missing)} images, the first is '
                        f'{missing[0]}; run prune again with the same --data and --out')
    products = [p for p in products if not p.image or keep[p.name]]
    if not products:
        raise UserError(f'{path} keeps no images; write yes in its keep column, or prune again '
                        'with milder thresholds')
    return products


def check_pictures(path):
    """Raise UserError for a catalogue that is one file: it has texts alone."""
    if os.path.isfile(str(path)):
        raise UserError(f'{path} is one file and has no images; give a folder of images, or one '
                        f'with {_TABLE}')


def with_pictures(products, path):
    """The products with an image. Raises UserError, about `path`, if there are none."""
    found = [p for p in products if p.image]
    if not found:
        raise UserError(f'{path} has no images; give a folder of images, or one with {_TABLE}')
    return found


def with_texts(products, path):
    """The products with a description. Raises UserError, about `path`, if there are none."""
    found = [p for p in products if p.description]
    if not found:
        raise UserError(f'{path} has no descriptions; give a .txt, .csv or .jsonl file, or a '
                        f'folder with {_TABLE}')
    return found


def read_prompts(path, columns=()):
    """The prompts of a file, a list of strings.

    path: a text file with one prompt per line, or a .csv file whose `columns` give a prompt per
    row: their values in plain words, each word once. Raises UserError for anything else.
    """
    path = files.existing(path, 'the prompts, a .txt or .csv file')
    if columns:
        rows = [[plain(row[column]) for column in columns]
                for row in tables.read_rows(path, columns)]
        prompts = [' '.join(dict.fromkeys(word for word in row if word)) for row in rows]
    elif path.suffix.lower() == '.csv':
        raise UserError(f'{path} is a table; name its columns with --tag-columns')
    else:
        prompts = [line.strip() for line in tables.read_text(path).split('\n')]
    prompts = [prompt for prompt in prompts if prompt]
    if not prompts:
        raise UserError(f'{path} has no prompts; write one per line')
    return prompts
