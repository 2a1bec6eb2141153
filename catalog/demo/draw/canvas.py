"""Painting in centimetres on premultiplied planes: masks, layers, shading.

A canvas is float32 [4, size, size]: sRGB 0..255 times alpha, then alpha 0..1. Shapes are polygons
float [n, 2] in cm, which a View maps to pixels. Every step works in a pixel box (x0, y0, x1, y1),
as most shapes are small.
"""

import dataclasses

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

_OVER = 3  # supersampling of every mask


@dataclasses.dataclass(frozen=True)
class View:
    """From centimetres to pixels: pixel = scale * cm + shift."""
    size: int
    scale: float
    shift: np.ndarray   # [2]
    top: float          # the highest point of the product, cm

    def pixels(self, points):
        """cm [n, 2] -> pixels [n, 2]."""
        return np.asarray(points, np.float64) * self.scale + self.shift


def fit(points, size, *, x, y, extent):
    """The View that centres points at (x, y) with longer side `extent`, as fractions of `size`."""
    low, high = points.min(0), points.max(0)
    scale = float(extent * size / (high - low).max())
    shift = np.array([x, y]) * size - scale * (low + high) / 2
    return View(size=size, scale=scale, shift=shift, top=float(low[1]))


def box_around(view, shape, margin=2):
    """The pixel box around a shape, `margin` pixels wider, clipped to the image."""
    points = view.pixels(shape)
    low = np.clip(np.floor(points.min(0)) - margin, 0, view.size - 1).astype(int).tolist()
    high = np.clip(np.ceil(points.max(0)) + margin, 1, view.size).astype(int).tolist()
    return low[0], low[1], max(high[0], low[0] + 1), max(high[1], low[1] + 1)


def mask(view, shapes, box, line_cm=0.0):
    """Coverage 0..1 of each pixel of `box`, float32 [h, w]; with `line_cm`, of the outlines."""
    x0, y0, x1, y1 = box
    image = Image.new('L', ((x1 - x0) * _OVER, (y1 - y0) * _OVER))
    draw = ImageDraw.Draw(image)
    width = max(1, round(line_cm * view.scale * _OVER))
    for shape in shapes:
        points = [tuple(point) for point in ((view.pixels(shape) - (x0, y0)) * _OVER).tolist()]
        if line_cm:
            draw.line(points, fill=255, width=width, joint='curve')
        else:
            draw.polygon(points, fill=255)
    return np.asarray(image.reduce(_OVER), np.float32) / 255


def blurred(cover, radius):
    """A mask [h, w] after a Gaussian blur of `radius` pixels."""
    image = Image.fromarray((cover * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255


def noise(size, shape, rng):
    """Smooth noise float32 [size, size] through a random grid of this shape, with variance 1."""
    nodes = Image.fromarray(rng.normal(0, 1, shape).astype(np.float32))
    return np.asarray(nodes.resize((size, size), Image.BICUBIC))


def lit(colour, light, shine=0.0):
    """The colour [3, h, w] under `light` [h, w], 1 is neutral; folds are visible even on black."""
    return np.clip(colour * light + (26 * (light - 1) + 190 * shine), 0, 255)


def over(canvas, box, rgb, cover):
    """Composite the colour `rgb` [3, h, w] over the canvas with opacity `cover` [h, w]."""
    x0, y0, x1, y1 = box
    region = canvas[:, y0:y1, x0:x1]
    region *= 1 - cover
    region[:3] += rgb * cover
    region[3] += cover


def dim(canvas, box, amount):
    """Darken the canvas by `amount` [h, w] in [0, 1]."""
    x0, y0, x1, y1 = box
    canvas[:3, y0:y1, x0:x1] *= 1 - amount
