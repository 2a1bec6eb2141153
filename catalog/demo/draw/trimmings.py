"""What lies on a garment or shows through it: inner back and label, seams, buttons, buckle, bow."""

import numpy as np

from catalog.demo.draw import canvas
from catalog.demo.draw.prints import plane

_TURN = np.linspace(0, 2 * np.pi, 20)
_CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)
_SQUARE = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float64)
_LOOP = np.array([(0, -0.3), (0.35, -0.38), (0.9, -0.5), (1, -0.1), (0.92, 0.3), (0.4, 0.2),
                  (0, 0.15)])
_TAIL = np.array([(0.02, 0), (0.2, 0.1), (0.62, 1.35), (0.28, 1.5), (0.05, 0.4)])
_KNOT = np.array([(-0.17, -0.24), (0.17, -0.24), (0.2, 0.22), (-0.2, 0.22)])
_MIRROR = np.array((-1, 1))
# The bow's pieces from back to front, each a little lighter.
_BOW = ((_TAIL, 0.86), (_TAIL * _MIRROR, 0.9), (_LOOP, 0.96), (_LOOP * _MIRROR, 1.06),
        (_KNOT, 1.14))
_BRASS = (214, 184, 112)


def inner_back(picture, view, cut, outline, colour):
    """The inside of the back that shows through the neckline, with its label."""
    half, sides, dip = cut.back
    x = np.linspace(-1, 1, 25)
    edge = np.stack([x * half, sides + (dip - sides) * (1 - x * x)], 1)
    above = np.concatenate([[(-40, -30), (-40, sides)], edge, [(40, sides), (40, -30)]])
    box = canvas.box_around(view, outline)
    cover = (canvas.mask(view, cut.openings[:1], box) * canvas.mask(view, [outline], box)
             * (1 - canvas.mask(view, [above], box)))
    depth = ((np.arange(box[1], box[3]) + 0.5 - view.shift[1]) / view.scale - dip)[:, None]
    shadow = np.clip(0.62 - 0.012 * depth, 0.4, 0.62).astype(np.float32)
    canvas.over(picture, box, canvas.lit(colour, shadow), cover)
    label = canvas.mask(view, [_SQUARE * (2.2, 1.1) + (0, dip + 1.9)], box)
    canvas.over(picture, box, plane((226, 226, 226)), 0.9 * label * cover)


def seams(picture, view, lines):
    """Dark thin lines."""
    if lines:
        box = canvas.box_around(view, np.concatenate(lines))
        canvas.dim(picture, box, 0.34 * canvas.mask(view, lines, box, line_cm=0.5))


def buttons(picture, view, centres, colour):
    """Round buttons with a shadow and a sunk middle."""
    for centre in centres:
        for radius, light, drop in ((1.75, 0.45, 0.25), (1.5, 1.0, 0), (0.5, 0.6, 0)):
            shape = _CIRCLE * radius + centre + (0, drop)
            box = x0, y0, x1, y1 = canvas.box_around(view, shape)
            cover = canvas.mask(view, [shape], box) * picture[3, y0:y1, x0:x1]
            canvas.over(picture, box, light * colour, cover)


def buckle(picture, view, place):
    """A brass frame at (x, y, half width)."""
    x, y, half = place
    outer, inner = (_SQUARE * half * share + (x, y) for share in (1.0, 0.62))
    box = canvas.box_around(view, outer)
    ring = canvas.mask(view, [outer], box) - canvas.mask(view, [inner], box)
    canvas.over(picture, box, plane(_BRASS), ring)


def bow(picture, view, place, colour):
    """Two loops, two tails and a knot at (x, y, half width)."""
    x, y, half = place
    for shape, light in _BOW:
        box = canvas.box_around(view, shape * half + (x, y), margin=6)
        cover = canvas.mask(view, [shape * half + (x, y)], box)
        soft = canvas.blurred(cover, 0.009 * view.size)
        canvas.dim(picture, box, 0.5 * soft)
        rim = 1 - 0.5 * np.clip(1 - soft, 0, 0.6)
        canvas.over(picture, box, canvas.lit(colour, light * rim), cover)
