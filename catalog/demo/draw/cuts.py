"""The cut of a garment: Garment -> panels, neckline, seams, buttons, bow, in centimetres.

y = 0 is the side of the neck. The levels are those of a stylised figure: bust at 24 cm, waist at
40, hip at 60, crotch at 70. Skirts and trousers begin at the waist.
"""

import dataclasses

import numpy as np

from catalog.demo.draw.panels import flap, folds, mirrored, panel, smooth, wave

WAIST, HIP, CROTCH = 40.0, 60.0, 70.0
_ENDS = {'hip-length': 63.0, 'mini': 84.0, 'knee-length': 101.0, 'midi': 118.0, 'maxi': 144.0,
         'ankle-length': 128.0, 'full-length': 142.0}
_CROPPED = {'top': 46.0, 'trousers': 108.0}

# Of a neckline: half width, depth, exponent of its curve, y at the sides; of the back's neckline: y
# at the sides and at the centre.
_NECKS = {
    'round neck': (9.0, 9.0, 2.4, 0.0, 0.0, 2.4), 'v-neck': (8.5, 22.0, 1.12, 0.0, 0.0, 2.4),
    'scoop neck': (11.5, 17.5, 2.4, 0.0, 0.0, 4.0),
    'square neck': (10.5, 15.0, 14.0, 0.0, 0.0, 4.0),
    'boat neck': (15.0, 7.0, 2.0, 2.4, 2.4, 4.4), 'halter neck': (5.0, 8.0, 2.4, 0.0, 0.0, 1.2),
    'high neck': (6.4, -4.4, 2.0, -6.2, -6.2, -5.2), 'collared': (6.5, 15.0, 1.1, 0.0, -2.5, -1.0),
    'sweetheart neck': (11.0, 21.0, 2.0, 0.0, 16.0, 16.5)}
# Half widths below the bust, as (y, cm).
_BODIES = {
    'sheath': ((WAIST, 17.6), (HIP, 23.5), (100.0, 21.5), (145.0, 22.5)),
    'bodycon': ((WAIST, 15.6), (HIP, 22.5), (84.0, 20.0), (100.0, 16.5), (145.0, 18.0)),
    'shift': ((WAIST, 22.5), (HIP, 25.0), (100.0, 29.5), (145.0, 34.0)),
    'a-line': ((WAIST, 17.2), (HIP, 25.5), (100.0, 38.5), (145.0, 51.0)),
    'fit and flare': ((WAIST, 16.0), (47.0, 22.5), (HIP, 32.0), (100.0, 48.0), (145.0, 58.0)),
    'empire': ((29.0, 17.8), (WAIST, 22.0), (HIP, 27.5), (100.0, 36.5), (145.0, 46.0)),
    'pencil': ((WAIST, 16.0), (HIP, 23.0), (100.0, 18.5), (145.0, 19.5)),
    'full': ((WAIST, 15.5), (46.0, 22.0), (HIP, 31.5), (100.0, 45.0), (145.0, 56.0)),
    'fitted': ((WAIST, 17.6), (64.0, 23.5)),
    'relaxed': ((WAIST, 23.0), (64.0, 25.0)),
    'peplum': ((WAIST - 3, 16.8), (WAIST + 2, 18.5), (64.0, 33.0))}
# The same above the legs of trousers and jumpsuits, for any silhouette.
_SEAT = ((WAIST, 16.6), (HIP, 22.3), (CROTCH + 5, 22.6))
# Depth of the folds of the falling cloth.
_DRAPES = {'sheath': 0.05, 'bodycon': 0.04, 'shift': 0.10, 'a-line': 0.17, 'fit and flare': 0.24,
           'empire': 0.19, 'pencil': 0.04, 'full': 0.26, 'fitted': 0.05, 'relaxed': 0.10,
           'peplum': 0.24}
# The seam of sleeve and body, from the shoulder to below the arm, as (x, y).
_ARMHOLE = np.array([(18.5, 4.3), (18.3, 12.0), (19.6, 20.5)])
# Length, degrees from straight down, then the outer and the inner edge below the armhole, as
# (station along the sleeve, offset from the axis through the shoulder).
_SLEEVES = {
    'cap sleeves': (12.0, 38.0, ((12, 6.4),), ()),
    'short sleeves': (24.0, 26.0, ((14, 9.0), (24, 9.4)), ((26, -5.2),)),
    'long sleeves': (61.0, 17.0, ((16, 9.0), (36, 8.0), (61, 6.2)), ((36, -2.6), (61, -2.8))),
    'bell sleeves': (52.0, 19.0, ((16, 8.6), (27, 7.4), (40, 10.0), (52, 15.0)),
                     ((27, -2.4), (40, -4.6), (52, -9.0)))}
# Outer edge at waist, hip, crotch, knee and end; inner edge 8 cm below the crotch, at knee and end.
_LEGS = {'wide-leg': ((16.6, 22.6, 24.0, 28.5, 33.0), (2.6, 4.6, 6.0)),
         'straight-leg': ((16.6, 22.4, 23.0, 22.5, 22.0), (2.6, 6.3, 8.6)),
         'tapered': ((16.6, 22.2, 22.4, 19.5, 16.0), (2.6, 6.0, 8.2))}
_LEG_DRAPES = {'wide-leg': 0.15, 'straight-leg': 0.08, 'tapered': 0.06}


@dataclasses.dataclass(frozen=True)
class Cut:
    """The shapes to draw: panels from back to front, then what is on them."""
    panels: tuple
    openings: tuple = ()    # polygons [n, 2] cut out of the body
    back: tuple = ()        # half width, y at the sides and y at the centre of the inner back
    seams: tuple = ()       # polylines [n, 2]
    buttons: tuple = ()     # (x, y) of each
    bow: tuple = ()         # (x, y, half width)
    buckle: tuple = ()      # (x, y, half width)


def _sleeves(style, rng):
    """Four panels: on each side the inside of the opening, then the sleeve."""
    length, degrees, outer, inner = _SLEEVES[style]
    angle = np.radians(degrees * rng.uniform(0.9, 1.1))
    end = length * rng.uniform(0.93, 1.0)
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = (_ARMHOLE - (17.0, 5.0)).T
    armhole = list(zip(x * sin + y * cos, x * cos - y * sin))
    start = armhole[0]
    outside = [start, (start[0] + 1.5, 5.2), (start[0] + 4.5, 7.4)] + list(outer)
    inside = armhole + list(inner)
    bell = style == 'bell sleeves'
    parts = []
    for side in (-1, 1):
        edges = [[(s, side * n) for s, n in edge] for edge in (inside, outside)[::side]]
        rest = dict(waves=folds(rng, 5 if bell else 3), part='sleeve',
                    place=(side * 17.0, 5.0, side * angle))
        # The far side of the opening is visible below the near one.
        parts.append(panel(edges, lambda u: end + 1.1 * (1 - u * u), side='inner', **rest))
        parts.append(panel(edges, lambda u: end - 1.1 * (1 - u * u), drape=0.2 if bell else 0.06,
                           drape_from=end * 0.4 if bell else 0.0, **rest))
    return parts


def _cuff(edges, end, waves):
    """A turned-up end, a little wider than the leg."""
    wider = [[(y, float(smooth(edge, np.array([y]))[0]) + grow) for y in (end - 7, end)]
             for edge, grow in zip(edges, (-0.9, 0.9))]
    return panel(wider, lambda u: end + 0.4 - 1.2 * (1 - u * u), waves=waves, part='leg')


def _legs(garment, end, rng):
    """Two panels from the waist to `end`, joined above the crotch; cuffs as two more."""
    outer, inner = _LEGS[garment.silhouette]
    knee = (CROTCH + end) / 2
    jitter = rng.uniform(0.94, 1.06)
    outside = [(y, x * jitter) for y, x in zip((WAIST, HIP, CROTCH, knee, end), outer)]
    inside = [(WAIST, -0.4), (CROTCH - 4, -0.4), (CROTCH, 0.2)]
    inside += [(y, x) for y, x in zip((CROTCH + 8, knee, end), inner)]
    parts = []
    for side in (-1, 1):
        waves = folds(rng, 3)
        edges = [[(y, side * x) for y, x in edge] for edge in (inside, outside)[::side]]
        parts.append(panel(edges, lambda u: end - 1.2 * (1 - u * u), waves=waves, part='leg',
                           drape=_LEG_DRAPES[garment.silhouette], drape_from=CROTCH))
        if garment.hem == 'cuffed':
            parts.append(_cuff(edges, end, waves))
    return parts


def _sweetheart(half):
    """A heart-shaped neckline between two straps, and the bare shoulders beside them."""
    x = np.linspace(-1, 1, 61)
    heart = 18.5 - 5.0 * np.sqrt(1 - ((np.abs(x) - 0.55) / 0.56) ** 2)
    middle = np.concatenate([[(-half, -9)], np.stack([x * half, heart], 1), [(half, -9)]])
    strap = half + 1.8
    side = np.array([(strap, -9), (strap, 16.5), (strap + 2, 18.5), (30, 20), (30, -9)])
    return middle, side, side * (-1, 1)


def _neckline(name):
    """(openings, back) of a Cut."""
    half, depth, power, sides, *back = _NECKS[name]
    if name == 'sweetheart neck':
        return _sweetheart(half), (half, *back)
    x = np.linspace(-1, 1, 41)
    y = sides + (depth - sides) * (1 - np.abs(x) ** power)
    arc = np.concatenate([[(-half, -9)], np.stack([x * half, y], 1), [(half, -9)]])
    return (arc,), (half, *back)


def _upper(garment):
    """Half widths from the neck to the bust."""
    if garment.neckline == 'halter neck':
        return [(0, 5.4), (3, 6.6), (12, 11.0), (21, 18.4), (25, 20.2)]
    tip = [(3.8, 16.8), (8, 15.9), (13, 16.2), (21, 19.5), (25, 20.4)]
    if garment.sleeve != 'sleeveless':
        tip = [(4.6, 18.8), (12, 18.6), (21, 20.0), (25, 20.6)]
    if garment.neckline == 'high neck':
        return [(-6, 6.4), (-1.5, 6.9), (0.6, 9.5)] + tip
    return [(0, 8.6)] + tip


def _hem(garment, end, top, waves, rng):
    """The hem of the body: a function of u -> station."""
    flutter = 14.0 * _DRAPES[garment.silhouette] * min(1.0, (end - top) / 40)
    slope = rng.choice([-1, 1]) * rng.uniform(0.12, 0.17) * (end - min(top, 20))
    rise = rng.uniform(0.22, 0.3) * (end - WAIST)

    def hem(u):
        if garment.hem == 'ruffled':  # the frill covers the rest
            return end - 9.0 + 1.6 * (1 - u * u)
        y = end + 1.6 * (1 - u * u) + 0.5 * flutter * wave(waves, u)
        if garment.hem == 'asymmetric':
            return y - 0.6 * abs(slope) + slope * (u + 0.25 * np.sin(np.pi * u))
        if garment.hem == 'high-low':
            return y - rise * (1 - np.abs(u) ** 1.8)
        return y
    return hem


def _frill(body, hem, garment, rng):
    """A gathered strip with deep folds along the hem."""
    waves = folds(rng, 11 if garment.category == 'top' else 15)
    middle = float(hem(np.zeros(1))[0])
    width = float(np.interp(middle, body.stations, body.right))
    edges = mirrored([(middle - 2.5, 0.985 * width), (middle + 3, 1.05 * width),
                      (middle + 12, 1.15 * width)])
    return panel(edges, lambda u: middle + 12 - 1.5 * u * u + 0.9 * wave(waves, u), waves=waves,
                 drape=0.36, drape_from=middle - 6, part='frill')


def _slit(body, end, rng):
    """The dark wedge of a side slit."""
    u = rng.choice([-1, 1]) * rng.uniform(0.42, 0.55)
    length = rng.uniform(0.30, 0.42) * (end - WAIST)
    above, below = u * np.interp([end - length, end], body.stations, body.right)
    edges = mirrored([(0.0, 0.15), (length + 3, rng.uniform(3.2, 4.2))])
    return panel(edges, length + 1.0, waves=body.folds, side='inner', part='slit',
                 place=(float(above), end - length, float(np.arctan2(below - above, length))))


def _points(garment, rng):
    """Half widths of the body from top to bottom, with a random variation."""
    lower = _BODIES.get(garment.silhouette, _SEAT)
    upper = _upper(garment) if garment.neckline else []
    spread = rng.normal(0, 1, 5) * (0.02, 0.035, 0.03, 0.05, 0.06)
    levels = (20.0, WAIST, HIP, 100.0, 145.0)
    return [(y, width * (1 + np.interp(y, levels, np.clip(spread, -0.09, 0.09))))
            for y, width in upper + list(lower)]


def _collar(waves):
    """Two pointed leaves beside the opening."""
    leaf = np.array([(7.2, -2.2), (10.6, 2.6), (8.2, 12.0), (0.4, 13.2), (3.6, 6.0)])
    return [flap(leaf * (side, 1), waves=waves, part='trim') for side in (-1, 1)]


def _seams(garment, body, end):
    """Polylines: waist or bust seam, darts, fly and pockets."""
    def across(y):
        u = np.linspace(-1, 1, 25)
        return np.stack([u * np.interp(y, body.stations, body.right), y + 1.2 * (1 - u * u)], 1)

    lines = []
    if garment.silhouette in ('fit and flare', 'peplum'):
        lines.append(across(WAIST - 1.0))
    elif garment.silhouette == 'empire':
        lines.append(across(28.5))
    elif garment.silhouette in ('sheath', 'a-line', 'bodycon', 'fitted') and garment.neckline:
        y = np.linspace(27.0, min(end - 8, 54.0), 20)
        x = 0.5 * np.interp(y, body.stations, body.right)
        lines += [np.stack([side * x, y], 1) for side in (-1, 1)]
    if garment.category in ('skirt', 'trousers'):
        lines.append(across(WAIST + 4.0))
    if garment.category in ('jumpsuit', 'trousers'):
        lines.append(np.array([(0, WAIST + 4), (0, CROTCH)]))
        pocket = np.array([(11.5, WAIST + 4), (20.5, WAIST + 17)])
        lines += [pocket, pocket * (-1, 1)]
    return lines


def _fastenings(garment, body, end):
    """Belt panels, and the keyword arguments of a Cut for buttons, bow and buckle."""
    top = _NECKS[garment.neckline][1] + 3 if garment.neckline else WAIST + 2
    waist = WAIST if garment.neckline else WAIST + 2.5
    half = float(np.interp(waist, body.stations, body.right)) + 0.7
    if garment.detail == 'belt':
        belt = panel(mirrored([(waist - 2.4, half), (waist + 2.4, half)]), waist + 2.4,
                     waves=body.folds, side='trim', part='trim')
        return [belt], dict(buckle=(0.0, waist, 3.6))
    if garment.detail == 'bow':
        return [], dict(bow=(0.0, top + 1 if garment.category == 'top' else waist, 9.0))
    if garment.detail == 'buttons':
        last = min(end - 10, max(HIP, 0.8 * end)) if garment.category != 'jumpsuit' else HIP
        return [], dict(buttons=tuple((0.0, y) for y in np.arange(top, last, 7.5)))
    return [], {}


def cut(garment, rng):
    """The Cut of a Garment; widths, folds and the side of an asymmetric hem are random."""
    legged = garment.category in ('jumpsuit', 'trousers')
    end = _ENDS.get(garment.length) or _CROPPED[garment.category]
    points = _points(garment, rng)
    drape = _DRAPES.get(garment.silhouette, 0.04)
    waves = folds(rng, 2.5 + 16 * drape)
    hem = (CROTCH + 4.0) if legged else _hem(garment, end, points[0][0], waves, rng)
    body = panel(mirrored(points), hem, waves=waves, drape=drape, fade=12.0 if legged else 0.0,
                 drape_from=28.0 if garment.silhouette == 'empire' else WAIST)
    panels = _legs(garment, end, rng) if legged else []
    if garment.hem == 'high-low':
        below = [point for point in points if point[0] >= WAIST - 4]
        panels.append(panel(mirrored(below), lambda u: end + 2 - 2.5 * (1 - u * u) + wave(waves, u),
                            waves=waves, drape=drape, drape_from=WAIST, side='inner', part='back'))
    panels.append(body)
    if garment.hem == 'ruffled':
        panels.append(_frill(body, hem, garment, rng))
    if garment.hem == 'side slit':
        panels.append(_slit(body, end, rng))
    if garment.neckline == 'collared':
        panels += _collar(waves)
    if garment.sleeve not in ('', 'sleeveless'):
        panels += _sleeves(garment.sleeve, rng)
    belt, fastenings = _fastenings(garment, body, end)
    openings, back = _neckline(garment.neckline) if garment.neckline else ((), ())
    return Cut(panels=tuple(panels + belt), openings=openings, back=back,
               seams=tuple(_seams(garment, body, end)), **fastenings)
