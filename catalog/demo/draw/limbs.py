"""Sleeves and legs: what hangs from the body of a garment, in centimetres (levels as in cuts)."""

import numpy as np

from catalog.demo.draw.panels import folds, panel, smooth

WAIST, HIP, CROTCH = 40.0, 60.0, 70.0

# Where sleeve and body meet, from the shoulder to below the arm, as (x, y).
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
_DRAPES = {'wide-leg': 0.15, 'straight-leg': 0.08, 'tapered': 0.06}


def sleeves(style, rng):
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
        # The far side of the opening shows below the near one.
        parts.append(panel(edges, lambda u: end + 1.1 * (1 - u * u), side='inner', **rest))
        parts.append(panel(edges, lambda u: end - 1.1 * (1 - u * u), drape=0.2 if bell else 0.06,
                           drape_from=end * 0.4 if bell else 0.0, **rest))
    return parts


def _cuff(edges, end, waves):
    """A turned-up end, a little wider than the leg."""
    wider = [[(y, float(smooth(edge, np.array([y]))[0]) + grow) for y in (end - 7, end)]
             for edge, grow in zip(edges, (-0.9, 0.9))]
    return panel(wider, lambda u: end + 0.4 - 1.2 * (1 - u * u), waves=waves, part='leg')


def legs(garment, end, rng):
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
                           drape=_DRAPES[garment.silhouette], drape_from=CROTCH))
        if garment.hem == 'cuffed':
            parts.append(_cuff(edges, end, waves))
    return parts
