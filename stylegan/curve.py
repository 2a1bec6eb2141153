"""A figure over the length of a training, drawn as a plain line chart."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dnnlib.files import UserError

WIDTH, HEIGHT = 800, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 30, 45  # px of margin
_PAPER, _GRID, _INK = (255, 255, 255), (225, 225, 225), (60, 60, 60)
_COLOURS = ((31, 90, 180), (205, 75, 30))
_TICKS = 6  # about how many on an axis


def ticks(low, high):
    """Round numbers, 1, 2 or 5 times a power of ten apart, that enclose low..high; a float list."""
    rough = max(high - low, 1e-9 * max(abs(high), 1)) / _TICKS
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * min(factor for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = int(np.floor(low / step + 1e-6)), int(np.ceil(high / step - 1e-6))
    return [step * i for i in range(first, max(last, first + 1) + 1)]


def _scale(marks, start, end):
    """The function that maps the axis from its first mark to its last onto pixels start..end."""
    return lambda value: start + (value - marks[0]) / (marks[-1] - marks[0]) * (end - start)


def _text(pen, place, text, anchor=0.0, fill=_INK):
    """Text at x, y; `anchor` 0 begins there, 0.5 is centred, 1 ends there."""
    font = ImageFont.load_default()
    pen.text((place[0] - anchor * font.getlength(text), place[1]), text, fill, font)


def _axes(pen, xs, ys):
    """Both axes with their ticks -> the functions that map values onto pixels."""
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    x, y = _scale(xs, _LEFT, right), _scale(ys, bottom, _TOP)
    for mark in xs:
        pen.line([x(mark), _TOP, x(mark), bottom], _GRID)
        _text(pen, (x(mark), bottom + 8), '%g' % round(mark, 9), 0.5)
    for mark in ys:
        pen.line([_LEFT, y(mark), right, y(mark)], _GRID)
        _text(pen, (_LEFT - 8, y(mark) - 6), '%g' % round(mark, 9), 1)
    pen.line([_LEFT, _TOP, _LEFT, bottom, right, bottom], _INK)
    _text(pen, ((_LEFT + right) / 2, bottom + 26), 'thousand real pictures shown', 0.5)
    return x, y


def plot(points, names=('swd',)):
    """Figures of a training by its length, as uint8 [400, 800, 3].

    points: list of dicts as in progress.jsonl, with 'kimg' and the figures, numbers; those that
            lack a figure are passed over, and at a change of 'resolution' its line is broken.
    names:  one or two figures, drawn on a common axis that begins at 0 or below.
    Raises UserError if none of the points has any of the figures.
    """
    assert 0 < len(names) <= len(_COLOURS), names
    series = [[point for point in points if name in point] for name in names]
    values = [point[name] for name, known in zip(names, series) for point in known]
    if not values:
        raise UserError('no point of this training has %s' % ' or '.join(names))
    image = Image.new('RGB', (WIDTH, HEIGHT), _PAPER)
    pen = ImageDraw.Draw(image)
    x, y = _axes(pen, ticks(0, max(point['kimg'] for known in series for point in known)),
                 ticks(min(0, min(values)), max(values)))
    for place, (name, known, colour) in enumerate(zip(names, series, _COLOURS)):
        spots = [(x(point['kimg']), y(point[name])) for point in known]
        for spot, nxt, one, two in zip(spots, spots[1:], known, known[1:]):
            if one.get('resolution') == two.get('resolution'):
                pen.line([spot, nxt], colour, 2)
        for spot in spots:
            pen.ellipse([spot[0] - 2, spot[1] - 2, spot[0] + 2, spot[1] + 2], colour)
        _text(pen, (_LEFT + 150 * place, 10), name, 0, colour)
    return np.asarray(image)
