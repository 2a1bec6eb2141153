"""Prints of the cloth: Garment -> paint(x, y, u, part), the colour of the unlit cloth at a point.

x and y are percent of the image's height, measured along the cloth from its top centre, so that
the size of a print does not depend on the garment's; u in [-1, 1] runs across the panel. Colours
are sRGB planes, float32 [3, h, w] or [3, 1, 1], because numpy is several times faster on planes.
"""

import numpy as np

from catalog.demo.attributes import COLOURS

_PALE = ((247, 245, 240), (241, 231, 212))
_DARK = ((34, 40, 74), (44, 42, 46))
_PETALS = ((250, 244, 236), (244, 178, 190), (250, 214, 120), (226, 92, 104), (176, 148, 216))
_LEAF, _HEART = (86, 140, 92), (232, 180, 66)


def plane(rgb):
    """One colour (r, g, b) as float32 [3, 1, 1]."""
    return np.array(rgb, np.float32).reshape(3, 1, 1)


def shade(colour, rng):
    """The colour as float32 [3, 1, 1], with a small random variation."""
    rgb = COLOURS[colour] * rng.uniform(0.95, 1.05, 1) + rng.uniform(-5, 5, 3)
    return plane(np.clip(rgb, 8, 250))


def contrast(rgb, rng):
    """A contrasting colour, float32 [3, 1, 1]: pale on dark, dark on pale."""
    dark = np.dot(rgb.ravel(), (0.3, 0.59, 0.11)) < 150
    choices = _PALE if dark else _DARK
    return plane(choices[rng.randint(len(choices))])


def _blend(first, second, weight):
    """Linear interpolation from first (weight 0) to second (weight 1): float32 [3, h, w]."""
    return first + (second - first) * weight


def _band(position, share, pixel):
    """1 inside the first `share` of every period, antialiased; `pixel` is in periods."""
    distance = share / 2 - np.abs(np.mod(position, 1) - 0.5)
    return np.clip(distance / pixel + 0.5, 0, 1)


def _plain(base, accent, rng, pixel):
    return lambda x, y, u, part: np.broadcast_to(base, (3,) + x.shape)


def _striped(base, accent, rng, pixel):
    period, share = rng.uniform(5.4, 7.6), rng.uniform(0.34, 0.46)
    upright, phase = rng.uniform() < 0.35, rng.uniform()

    def paint(x, y, u, part):
        position = x if upright else y - 0.6 * u * u
        return _blend(base, accent, _band(position / period + phase, share, pixel / period))
    return paint


def _checked(base, accent, rng, pixel):
    period, plaid = rng.uniform(6.4, 9.0), rng.uniform() < 0.4
    deep = base * (0.62 if base.mean() > 90 else 0.45)

    def paint(x, y, u, part):
        across, down = (_band(v / period, 0.46, pixel / period) for v in (x, y))
        if not plaid:  # gingham: pale where no thread is coloured, half where one is
            return _blend(base, plane((250, 250, 250)), 0.36 * (across + down))
        cloth = _blend(base, deep, 0.5 * (across + down))
        lines = [_band(v / period + 0.5, 0.1, pixel / period) for v in (x, y)]
        return _blend(cloth, accent, 0.8 * np.maximum(*lines))
    return paint


def _cells(x, y, period):
    """Offsets from the centres of staggered square cells, and the cells' rows and columns."""
    row = np.floor(y / period)
    shifted = x / period + 0.5 * np.mod(row, 2)
    column = np.floor(shifted)
    return ((shifted - column - 0.5) * period, (y / period - row - 0.5) * period,
            np.mod(row, 16).astype(np.intp), np.mod(column, 16).astype(np.intp))


def _polka_dot(base, accent, rng, pixel):
    period = rng.uniform(5.2, 7.4)
    radius = period * rng.uniform(0.25, 0.31)

    def paint(x, y, u, part):
        dx, dy, _, _ = _cells(x, y, period)
        return _blend(base, accent, np.clip((radius - np.hypot(dx, dy)) / pixel + 0.5, 0, 1))
    return paint


def _floral(base, accent, rng, pixel):
    period = rng.uniform(7.0, 10.0)
    petals = rng.choice([5, 6])
    seen = [kind for kind in map(plane, rng.permutation(_PETALS)[:2])
            if np.abs(kind - base).sum() > 130]
    kinds = np.stack(seen + [accent], axis=1)  # [3, n, 1, 1]
    shift = rng.uniform(-0.13, 0.13, (16, 16, 2)).astype(np.float32) * period
    size = rng.uniform(0.30, 0.43, (16, 16)).astype(np.float32) * period
    turn = rng.uniform(0, 6.28, (16, 16)).astype(np.float32)
    colour = kinds[:, rng.randint(len(seen) + 1, size=(16, 16)), 0, 0]  # [3, 16, 16]
    leaf = plane(_LEAF) if np.abs(plane(_LEAF) - base).sum() > 110 else base * 0.55

    def paint(x, y, u, part):
        dx, dy, row, column = _cells(x, y, period)
        dx, dy = dx - shift[row, column, 0], dy - shift[row, column, 1]
        distance, angle = np.hypot(dx, dy), np.arctan2(dy, dx) + turn[row, column]
        reach = size[row, column]
        leaves = reach * (0.25 + 1.1 * np.clip(np.cos(2 * angle + 1.0), 0, 1) ** 3)
        cloth = _blend(base, leaf, np.clip((leaves - distance) / pixel + 0.5, 0, 1))
        bloom = reach * (0.66 + 0.26 * np.cos(petals * angle))
        bloom = np.clip((bloom - distance) / pixel + 0.5, 0, 1)
        heart = np.clip((0.2 * reach - distance) / pixel + 0.5, 0, 1)
        return _blend(_blend(cloth, colour[:, row, column], bloom), plane(_HEART), heart)
    return paint


def _colour_block(base, accent, rng, pixel, legged):
    style = rng.choice(['yoke', 'band'] if legged else ['yoke', 'band', 'sides'])
    level, sleeves = rng.uniform(20, 25), rng.uniform() < 0.5

    def paint(x, y, u, part):
        if part == 'sleeve':
            weight = np.full(x.shape, float(sleeves or style == 'yoke'))
        elif style == 'yoke' and part == 'body':
            weight = np.clip((level - y) / pixel + 0.5, 0, 1)
        elif style == 'sides':
            weight = np.clip((np.abs(u) - 0.66) / 0.03 + 0.5, 0, 1)
        else:
            weight = np.clip((y - 68 + 3 * (style == 'yoke')) / pixel + 0.5, 0, 1)
        return _blend(base, accent, weight)
    return paint


_PAINTS = {'plain': _plain, 'striped': _striped, 'checked': _checked, 'polka dot': _polka_dot,
           'floral': _floral}


def of(garment, rng, *, size):
    """(paint, base, accent): the print of a garment for an image of `size` pixels.

    paint(x, y, u, part) takes float32 [h, w] arrays and the part's name, and returns the unlit
    cloth, sRGB float32 [3, h, w]; base and accent are its two main colours, float32 [3, 1, 1].
    """
    base = shade(garment.colour, rng)
    accent = contrast(base, rng)
    if garment.pattern == 'colour block':
        legged = garment.category in ('jumpsuit', 'trousers')
        paint = _colour_block(base, accent, rng, 100.0 / size, legged)
    else:
        paint = _PAINTS[garment.pattern](base, accent, rng, 100.0 / size)
    return paint, base, accent
