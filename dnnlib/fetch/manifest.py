"""A manifest: what can be downloaded, from where, how it is verified, and under which licence.

It is a JSON object, NAME -> item. All that a person has to write is in the two records below; sizes
and hashes that nobody has published are null. Items come in the order of the file.
"""

import dataclasses
import textwrap
from typing import Optional, Tuple

from dnnlib import files, knobs
from dnnlib.fetch import download, unpack
from dnnlib.files import UserError


@dataclasses.dataclass(frozen=True)
class File:
    """One file of an item: its bytes, its sha256 in hex, and addresses in the order to try them."""
    name: str
    bytes: Optional[int]
    sha256: Optional[str]
    mirrors: Tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Item:
    """What a name stands for.

    by_hand: how a person gets the files where no mirror answers.
    check:   the name of a check of the files' structure, '' for none.
    unpack:  the one file is a tar archive; it is unpacked in the folder of this name, '' for none.
    next:    the command that uses it, with {folder} for where the files are, '' for none.
    """
    name: str
    about: str
    licence: str
    by_hand: str
    files: Tuple[File, ...]
    check: str = ''
    unpack: str = ''
    next: str = ''


def _file(values):
    return knobs.from_dict(File, dict(values, mirrors=tuple(values['mirrors'])))


def read(path):
    """The items of the manifest at `path`, a dict by name. Raises UserError."""
    items = {}
    for name, values in files.read_json(path).items():
        try:
            parts = tuple(_file(each) for each in values['files'])
            items[name] = knobs.from_dict(Item, dict(values, name=name, files=parts))
        except (KeyError, TypeError, UserError) as error:
            raise UserError(f'{path}: the item {name} is incomplete or wrong ({error})')
    return items


def choose(items, names):
    """The items of these names, in this order. Raises UserError for an unknown name."""
    unknown = [name for name in names if name not in items]
    if unknown or not names:
        problem = f"nothing called {', '.join(unknown)}" if unknown else 'say what to download'
        raise UserError(f"{problem}; known are: {', '.join(items)}")
    return [items[name] for name in names]


def _size(item):
    sizes = [file.bytes for file in item.files]
    return '?' if None in sizes else f'{sum(sizes) / 1000000.0:.0f} MB'


def _verified_by(item):
    known = all(file.sha256 for file in item.files)
    by_hand = not all(file.mirrors for file in item.files)
    return ('sha256' if known else 'first copy') + ', by hand' * by_hand


def table(items):
    """Name, size, how it is verified, and licence of every item, as lines of up to 99 columns."""
    row = '%-24s%-9s%-21s%s'
    lines = [row % ('name', 'size', 'verified by', 'licence')]
    for item in items.values():
        licence = textwrap.wrap(item.licence, 45)
        lines.append(row % (item.name, _size(item), _verified_by(item), licence[0]))
        lines += [row % ('', '', '', more) for more in licence[1:]]
    return '\n'.join(lines)


def _given(item, file, given):
    """The path of `file` in what a person gave for the item: itself, or the folder it is in."""
    given = files.existing(given, f'{file.name}, or of the folder that holds it')
    if given.is_dir():
        return given / file.name
    if len(item.files) > 1:
        names = ', '.join(each.name for each in item.files)
        raise UserError(f'{given} is one file and {item.name} has {len(item.files)}; put them into '
                        f'one folder and give that: {names}')
    return given


def _unpacked(item, folder):
    place = folder / item.unpack
    if place.exists():
        return f'{place}: unpacked already; delete it to unpack again'
    unpack.unpack(folder / item.files[0].name, place)
    return f'{place}: unpacked'


def get(item, folder, *, from_file=None, check=None, **patience):
    """Bring an item's files into `folder`; yield a line on each as soon as it is there.

    from_file: copy from this file or folder instead of downloading. check: see `download.Expected`;
    an archive is checked by itself. patience: `retries` and `pause` of `download.fetch`.
    Raises UserError; where no mirror gives a file, it says how a person gets it.
    """
    check = unpack.check if item.unpack else check
    for file in item.files:
        path, known = folder / file.name, dict(size=file.bytes, sha256=file.sha256, check=check)
        try:
            if from_file:
                done = 'copied' * download.from_file(_given(item, file, from_file), path, **known)
            else:
                done = 'downloaded' * download.fetch(file.mirrors, path, **known, **patience)
        except download.Unavailable as error:
            raise UserError(f'{error}; by hand: {item.by_hand}')
        how = '' if file.sha256 else ' as the first copy, whose sha256 is recorded beside it'
        yield f"{path}: {done or 'already there'}, verified{how}"
    if item.unpack:
        yield _unpacked(item, folder)
    yield f'{item.name}: {item.about}; licence: {item.licence}'
    if item.next:
        yield 'now try: ' + item.next.replace('{folder}', str(folder))
