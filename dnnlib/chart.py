"""A plain chart: round ticks, two axes, lines and points, drawn with Pillow's own font."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 800, 400
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 30, 45  # px of margin
COLOURS = ((31, 90, 180), (205, 75, 30), (40, 140, 70), (140, 60, 160), (200, 150, 0),
           (0, 150, 170), (120, 120, 120), (90, 60, 30))
_PAPER, _GRID, _INK = (255, 255, 255), (225, 225, 225), (60, 60, 60)
_SPACE = 4  # px between words
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


class Chart:
    """A sheet with both axes drawn.

    xs, ys: the marks of the axes, ascending floats, two at least. title: under the x axis.
    names: what to write at the marks of the x axis, by default the numbers. height, top: in px.
    Attributes: x and y map values onto pixels; pen is Pillow's.
    """

    def __init__(self, xs, ys, title, *, names=None, height=HEIGHT, top=TOP):
        self._image = Image.new('RGB', (WIDTH, height), _PAPER)
        self.pen = ImageDraw.Draw(self._image)
        right, bottom = WIDTH - RIGHT, height - BOTTOM
        self.x, self.y = _scale(xs, LEFT, right), _scale(ys, bottom, top)
        for mark, name in zip(xs, names or [f'{round(mark, 9):g}' for mark in xs]):
            self.pen.line([self.x(mark), top, self.x(mark), bottom], _GRID)
            self.text((self.x(mark), bottom + 8), name, 0.5)
        for mark in ys:
            self.pen.line([LEFT, self.y(mark), right, self.y(mark)], _GRID)
            self.text((LEFT - 8, self.y(mark) - 6), f'{round(mark, 9):g}', 1)
        self.pen.line([LEFT, top, LEFT, bottom, right, bottom], _INK)
        self.text(((LEFT + right) / 2, bottom + 26), title, 0.5)

    def text(self, place, text, anchor=0.0, fill=_INK):
        """Text at x, y px; `anchor` 0 begins there, 0.5 is centred, 1 ends there."""
        # Word by word, with a gap of our own: at this size the font's own space is 1 to 3 px wide.
        font = ImageFont.load_default()
        words = text.split()
        widths = [font.getlength(word) + _SPACE for word in words]
        x = place[0] - anchor * (sum(widths) - _SPACE)
        for word, width in zip(words, widths):
            self.pen.text((x, place[1]), word, fill, font)
            x += width

    def line(self, points, colour):
        """A line through points, a list of (x, y) values."""
        self.pen.line([(self.x(x), self.y(y)) for x, y in points], colour, 2)

    def dots(self, points, colour):
        """A dot at each of points, a list of (x, y) values."""
        for x, y in points:
            spot = self.x(x), self.y(y)
            self.pen.ellipse([spot[0] - 2, spot[1] - 2, spot[0] + 2, spot[1] + 2], colour)

    def whisker(self, x, low, high, colour):
        """An interval from `low` to `high`, both values, at the value x."""
        self.pen.line([self.x(x), self.y(low), self.x(x), self.y(high)], colour)

    def picture(self):
        """uint8 [height, 800, 3]."""
        return np.asarray(self._image)
