"""Contact sheets: pages of small images, each with its name and a remark under it."""

import math

from PIL import Image, ImageDraw, ImageFont

from dnnlib import files, images, progress

_TILE, _GAP, _LINE = 150, 6, 12     # px: image, space around it, height of a line of text
_COLUMNS, _ROWS = 10, 6
_INK, _PAPER, _VOID = (60, 60, 60), (255, 255, 255), (225, 225, 225)


def _fitting(font, text, width):
    """The text, shortened from the start if too wide: the end of a path says more."""
    text = text.encode('ascii', 'replace').decode('ascii')  # what every default font has
    cut = text
    while len(cut) > 4 and font.getlength(cut) > width:
        text = text[1:]
        cut = f'..{text}'
    return cut


def _thumbnail(path):
    """The image padded to a square; a grey one if it cannot be read."""
    try:
        return Image.fromarray(images.square(images.open_rgb(path, draft=_TILE), _TILE))
    except images.Unreadable:
        return Image.new('RGB', (_TILE, _TILE), _VOID)


def _draw(page, position, path, lines):
    """Draw an image and lines of text below it, with the upper left corner at `position`."""
    x, y = position
    page.paste(_thumbnail(path), position)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default()
    for number, line in enumerate(lines):
        pen.text((x, y + _TILE + 1 + number * _LINE), _fitting(font, line, _TILE), _INK, font)


def _save(path, page):
    with files.replacing(path, durable=False) as temporary:
        page.save(str(temporary), format='JPEG', quality=85)


def _write_page(task):
    """Write one page. task: (path, at most _COLUMNS * _ROWS entries of a group)."""
    path, group = task
    height = _TILE + 2 * _LINE + 2 * _GAP
    rows = math.ceil(len(group) / _COLUMNS)
    page = Image.new('RGB', (_COLUMNS * (_TILE + _GAP), rows * height), _PAPER)
    for place, (picture, shown, remark) in enumerate(group):
        position = place % _COLUMNS * (_TILE + _GAP), place // _COLUMNS * height
        _draw(page, position, picture, (shown, remark))
    _save(path, page)


def write(folder, groups):
    """Write the pages of each group as `folder/<group>-001.jpg`, replacing older ones.

    groups: {name: list of (path of an image, name to show, remark)}, in display order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in groups:
        for old in folder.glob(f'{name}-[0-9][0-9][0-9]*.jpg'):
            old.unlink()
    size = _COLUMNS * _ROWS
    tasks = [(folder / f'{name}-{first // size + 1:03d}.jpg', group[first:first + size])
             for name, group in groups.items() for first in range(0, len(group), size)]
    with progress.parallel(_write_page, tasks, chunk=1, what='contact sheets',
                           unit='page') as pages:
        for _ in pages:
            pass


def write_overview(path, groups, *, columns=9):
    """Write one page with a row per group: its name, size, and evenly spaced examples.

    groups: as for `write`; empty ones are left out.
    """
    groups = {name: group for name, group in groups.items() if group}
    head, height = 18, _TILE + _LINE + 8
    size = columns * (_TILE + _GAP), max(1, len(groups)) * (head + height)
    page = Image.new('RGB', size, _PAPER)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default()
    for row, (name, group) in enumerate(groups.items()):
        y = row * (head + height)
        pen.text((2, y + 4), f"{name.replace('-', ' ')}: {len(group)}", (0, 0, 0), font)
        for place in range(min(columns, len(group))):
            picture, _, remark = group[place * len(group) // min(columns, len(group))]
            _draw(page, (place * (_TILE + _GAP), y + head), picture, (remark,))
    _save(path, page)
