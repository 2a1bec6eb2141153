"""Colour and pattern of a product measured from its pixels, for catalogues without attributes.

The product is the foreground of the image (see `catalog.prune.measure`). Its colour is the named
swatch nearest to most of its pixels, with less weight on lightness. It is patterned if its local
contrast is higher than that of folds and shadows.
"""

import numpy as np
from PIL import Image

from catalog.demo import attributes
from catalog.prune import measure
from dnnlib import progress

PLAIN, PATTERNED = 'plain', 'patterned'
_SIDE = 96  # px: patterns are measured at one size
_CONTRAST = 7.5  # least local contrast of a pattern, in CIELAB units


def _lab(rgb):
    """sRGB 0..255 [..., 3] -> CIELAB under D65 (CIE 15:2004, section 8.2.1)."""
    srgb = np.asarray(rgb, np.float64) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192],
                             [0.1805, 0.0722, 0.9505]]) / [0.9505, 1.0, 1.089]
    root = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


_NAMES = tuple(attributes.COLOURS)
_SWATCHES = _lab([attributes.COLOURS[name] for name in _NAMES])


def _colour(lab):
    """The colour name of most pixels lab [n, 3]; lightness has less weight."""
    distances = (lab[:, np.newaxis] - _SWATCHES) * [0.6, 1, 1]
    nearest = np.linalg.norm(distances, axis=-1).argmin(1)
    return _NAMES[int(np.bincount(nearest, minlength=len(_NAMES)).argmax())]


def contrast(lab, inside):
    """Local contrast of a product, in CIELAB units: the upper quartile of its pixels' differences
    from their 5x5 neighbourhood means.

    lab: [h, w, 3]. inside: bool [h, w].
    """
    radius, sums, counts = 2, 0, 0
    padded = np.pad(lab * inside[..., np.newaxis], ((radius,) * 2, (radius,) * 2, (0, 0)))
    mask = np.pad(inside.astype(float), radius)
    height, width = inside.shape
    for y in range(2 * radius + 1):
        for x in range(2 * radius + 1):
            sums = sums + padded[y:y + height, x:x + width]
            counts = counts + mask[y:y + height, x:x + width]
    deep = inside & (counts == (2 * radius + 1) ** 2)  # edges are not a pattern
    if not deep.any():
        return 0.0
    gaps = np.linalg.norm(lab - sums / np.maximum(counts, 1)[..., np.newaxis], axis=-1)
    return float(np.percentile(gaps[deep], 75))


def measured(rgb):
    """{'colour': word, 'pattern': 'plain' or 'patterned'} of an image uint8 [h, w, 3]."""
    picture = Image.fromarray(rgb).resize((_SIDE, _SIDE), Image.BICUBIC)
    inside = measure.product(picture)
    if not inside.any():
        inside = np.ones_like(inside)
    lab = _lab(np.asarray(picture))
    return {'colour': _colour(lab[inside]),
            'pattern': PATTERNED if contrast(lab, inside) > _CONTRAST else PLAIN}


def described(products, pictures):
    """Products (catalog.source.Product) with measured colour and pattern as attributes and tags.

    pictures: uint8 [n, h, w, 3], of the products, in order.
    """
    result = []
    for product, picture in progress.bar(zip(products, pictures), what='colours',
                                         total=len(products), unit='image'):
        measurements = measured(picture)
        result.append(product._replace(
            attributes=product.attributes + tuple(measurements.items()),
            tags=product.tags + tuple(measurements.values())))
    return result
