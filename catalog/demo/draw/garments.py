"""Garment -> image: a stylised product shot, without a model, on a studio backdrop.

The cut, in centimetres, is fitted into the square image. Each panel is printed, lit from the upper
left as a rounded, folded cloth, and composited over those behind it. The trimmings follow: inner
back and label, seams, buttons, buckle, bow.
"""

import dataclasses

import numpy as np

from catalog.demo.draw import canvas, cuts, prints
from catalog.demo.draw.panels import wave

# Depth of the folds, gloss, roughness, and width of the ribs in cm, of each fabric.
_FABRICS = {'cotton': (1.0, 0.03, 0.012, 0), 'linen': (0.9, 0.0, 0.035, 0),
            'jersey': (0.8, 0.03, 0.006, 0), 'crepe': (1.0, 0.05, 0.010, 0),
            'chiffon': (1.35, 0.06, 0.004, 0), 'satin': (1.2, 0.42, 0.003, 0),
            'velvet': (1.1, 0.12, 0.012, 0), 'knit': (0.7, 0.0, 0.012, 1.3)}
# Outlines of the trimmings, in units of their half width.
_TURN = np.linspace(0, 2 * np.pi, 20)
_CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)
_SQUARE = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float64)
_LOOP = np.array([(0, -0.3), (0.35, -0.38), (0.9, -0.5), (1, -0.1), (0.92, 0.3), (0.4, 0.2),
                  (0, 0.15)])
_TAIL = np.array([(0.02, 0), (0.2, 0.1), (0.62, 1.35), (0.28, 1.5), (0.05, 0.4)])
_KNOT = np.array([(-0.17, -0.24), (0.17, -0.24), (0.2, 0.22), (-0.2, 0.22)])
_MIRROR = np.array((-1, 1))
# The shapes of a bow with their brightness, from back to front.
_BOW = ((_TAIL, 0.86), (_TAIL * _MIRROR, 0.9), (_LOOP, 0.96), (_LOOP * _MIRROR, 1.06),
        (_KNOT, 1.14))
_BRASS = (214, 184, 112)


@dataclasses.dataclass(frozen=True)
class Placement:
    """Centre and longer side of the product's bounding box, as fractions of the image."""
    x: float = 0.5
    y: float = 0.5
    extent: float = 0.87


def _grain(size, rng):
    """Texture of the cloth, float32 [size, size]: vertical folds and fine grain."""
    return (0.7 * canvas.noise(size, (7, 13), rng)
            + 0.3 * canvas.noise(size, (60, 60), rng))


def _cloth_coordinates(view, panel, box):
    """Position along (s) and across (n) the axis in cm, and u between the edges: float32 [h, w].

    Of a vertical panel s is [h, 1] and n is [1, w], which saves much arithmetic.
    """
    x0, y0, x1, y1 = box
    x = ((np.arange(x0, x1) + 0.5 - view.shift[0]) / view.scale - panel.origin[0])[None, :]
    y = ((np.arange(y0, y1) + 0.5 - view.shift[1]) / view.scale - panel.origin[1])[:, None]
    cos, sin = np.cos(panel.angle), np.sin(panel.angle)
    s, n = (x * sin + y * cos, x * cos - y * sin) if panel.angle else (y, x)
    s, n = s.astype(np.float32), n.astype(np.float32)
    left, right = (np.interp(s, panel.stations, edge).astype(np.float32)
                   for edge in (panel.left, panel.right))
    u = (2 * n - left - right) / np.maximum(right - left, 0.2)
    return s, n, np.clip(u, -1.15, 1.15)


def _light(panel, s, u, waves, fabric, grain):
    """Brightness (1 is neutral) and gloss of the cloth, float32 [h, w] each."""
    depth, gloss, rough, rib_cm = fabric
    span = max(float(panel.stations[-1]) - panel.drape_from, 1.0)
    folds = panel.drape * depth * np.clip((s - panel.drape_from) / span, 0, 1) ** 0.7
    folds = folds * waves
    facing = 2 * folds - 0.45 * u           # towards the light
    light = 1 - 0.2 * np.abs(u * u * u) + 0.16 * facing + 0.6 * folds + grain * (0.018 + rough)
    if rib_cm:
        ribs = float(panel.right.max() - panel.left.min()) / rib_cm
        light = light + 0.04 * np.sin(np.float32(np.pi * ribs) * u)
    shine = gloss * np.clip(facing + 0.25 + 0.15 * grain, 0, 1) ** 3
    return (0.52 * light, 0 * shine) if panel.side == 'inner' else (light, shine)


def _printed(view, panel, s, n, u, waves, paint):
    """The colour of the unlit cloth, float32 [3, h, w]; the print follows the folds."""
    ripple = panel.drape * waves * np.clip((s - panel.drape_from) / 40, 0, 1)
    percent = 100 * view.scale / view.size
    x, y = (n + 5 * ripple) * percent, (s + panel.origin[1] - view.top) * percent
    return paint(x, y, u, panel.part)


def _draw_panel(picture, view, panel, openings, cloth):
    """Draw one panel, with its shadow on what is behind it."""
    paint, trim, fabric, grain = cloth
    box = x0, y0, x1, y1 = canvas.box_around(view, panel.outline)
    cover = canvas.mask(view, [panel.outline], box)
    s, n, u = _cloth_coordinates(view, panel, box)
    waves = wave(panel.folds, u, s)
    light, shine = _light(panel, s, u, waves, fabric, grain[y0:y1, x0:x1])
    colour = trim if panel.side == 'trim' else _printed(view, panel, s, n, u, waves, paint)
    if openings:
        cover = cover * (1 - canvas.mask(view, openings, box))
    if panel.fade:  # it fades into the legs: neither shadow nor rim
        cover = cover * np.clip((panel.stations[-1] - s) / panel.fade, 0, 1)
    else:
        soft = canvas.blurred(cover, 0.011 * view.size)
        canvas.dim(picture, box, 0.35 * soft)
        light = light * (1 - 0.42 * np.clip(1 - soft, 0, 0.5))
    canvas.over(picture, box, canvas.lit(colour, light, shine), cover)


def _draw_inner_back(picture, view, cut, outline, colour):
    """The inside of the back, visible through the neckline, with its label."""
    half, sides, dip = cut.back
    x = np.linspace(-1, 1, 25)
    edge = np.stack([x * half, sides + (dip - sides) * (1 - x * x)], 1)
    above = np.concatenate([[(-40, -30), (-40, sides)], edge, [(40, sides), (40, -30)]])
    # Less of the panel's box is enough, but with the same corner: Pillow rounds towards it.
    box = canvas.box_around(view, outline)[:2] + canvas.box_around(view, cut.openings[0])[2:]
    cover = (canvas.mask(view, cut.openings[:1], box) * canvas.mask(view, [outline], box)
             * (1 - canvas.mask(view, [above], box)))
    depth = ((np.arange(box[1], box[3]) + 0.5 - view.shift[1]) / view.scale - dip)[:, None]
    shadow = np.clip(0.62 - 0.012 * depth, 0.4, 0.62).astype(np.float32)
    canvas.over(picture, box, canvas.lit(colour, shadow), cover)
    label = canvas.mask(view, [_SQUARE * (2.2, 1.1) + (0, dip + 1.9)], box)
    canvas.over(picture, box, prints.plane((226, 226, 226)), 0.9 * label * cover)


def _draw_seams(picture, view, lines):
    """Thin dark lines."""
    if lines:
        box = canvas.box_around(view, np.concatenate(lines))
        canvas.dim(picture, box, 0.34 * canvas.mask(view, lines, box, line_cm=0.5))


def _draw_buttons(picture, view, centres, colour):
    """Round buttons with a shadow and a recessed middle."""
    for centre in centres:
        for radius, light, drop in ((1.75, 0.45, 0.25), (1.5, 1.0, 0), (0.5, 0.6, 0)):
            shape = _CIRCLE * radius + centre + (0, drop)
            box = x0, y0, x1, y1 = canvas.box_around(view, shape)
            cover = canvas.mask(view, [shape], box) * picture[3, y0:y1, x0:x1]
            canvas.over(picture, box, light * colour, cover)


def _draw_buckle(picture, view, place):
    """A brass frame at (x, y, half width)."""
    x, y, half = place
    outer, inner = (_SQUARE * half * share + (x, y) for share in (1.0, 0.62))
    box = canvas.box_around(view, outer)
    ring = canvas.mask(view, [outer], box) - canvas.mask(view, [inner], box)
    canvas.over(picture, box, prints.plane(_BRASS), ring)


def _draw_bow(picture, view, place, colour):
    """Two loops, two tails and a knot at (x, y, half width)."""
    x, y, half = place
    for shape, light in _BOW:
        box = canvas.box_around(view, shape * half + (x, y), margin=6)
        cover = canvas.mask(view, [shape * half + (x, y)], box)
        soft = canvas.blurred(cover, 0.009 * view.size)
        canvas.dim(picture, box, 0.5 * soft)
        rim = 1 - 0.5 * np.clip(1 - soft, 0, 0.6)
        canvas.over(picture, box, canvas.lit(colour, light * rim), cover)


def product(garment, *, size, rng, placement=Placement()):
    """The garment alone: float32 [4, size, size], sRGB 0..255 premultiplied, then alpha 0..1."""
    cut = cuts.cut(garment, rng)
    points = np.concatenate([panel.outline for panel in cut.panels])
    view = canvas.fit(points, size, **dataclasses.asdict(placement))
    paint, base, accent = prints.of(garment, rng, size=size)
    tonal = np.clip(base * (0.55 if base.mean() > 70 else 2.2), 0, 255)
    trim = accent if garment.pattern == 'plain' and rng.uniform() < 0.3 else tonal
    cloth = paint, trim, _FABRICS[garment.fabric], _grain(size, rng)
    picture = np.zeros([4, size, size], np.float32)
    for panel in cut.panels:
        bodice = panel.part == 'body' and cut.openings
        if bodice:
            _draw_inner_back(picture, view, cut, panel.outline, base)
        _draw_panel(picture, view, panel, cut.openings if bodice else (), cloth)
    _draw_seams(picture, view, cut.seams)
    _draw_buttons(picture, view, cut.buttons, prints.contrast(base, rng))
    if cut.buckle:
        _draw_buckle(picture, view, cut.buckle)
    if cut.bow:
        _draw_bow(picture, view, cut.bow, trim)
    return picture


def backdrop(size, rng):
    """A studio wall, float32 [3, size, size]: light grey, lit from above, with darker edges."""
    tone = rng.uniform(226, 236) + rng.uniform(-2, 2, 3)
    line = np.linspace(-1, 1, size, dtype=np.float32)
    return prints.plane(tone + 8) - 5 * (line[:, None] + line[:, None] ** 2 + line[None, :] ** 2)


def on_scene(picture, scene):
    """uint8 [size, size, 3]: a `product` and its soft shadow on a scene, float [3, size, size]."""
    size = picture.shape[1]
    down, right = size // 50, size // 70
    cast = np.zeros([size, size], np.float32)
    cast[down:, right:] = picture[3, :size - down, :size - right]
    light = (1 - 0.2 * canvas.blurred(cast, 0.022 * size)) * (1 - picture[3])
    return np.stack(np.clip(scene * light + picture[:3] + 0.5, 0, 255).astype(np.uint8), -1)


def render(garment, *, size=320, rng):
    """A product shot of the garment, uint8 [size, size, 3]. Consumes `rng`."""
    picture = product(garment, size=size, rng=rng)
    return on_scene(picture, backdrop(size, rng))
