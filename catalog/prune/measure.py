"""Scores of an image as a product shot, which pruning compares with thresholds.

The image is reduced to a thumbnail. A smooth backdrop, one quadratic surface per colour channel, is
fitted to the thumbnail's border by robust regression, so that a sleeve or a hem in the border has
little influence. Pixels that differ from the backdrop by more than its own variation are the
figure, which contains the product. Floors, sheets and walls with ordinary shading fit this model;
carpets and rooms do not.
"""

import functools

import numpy as np
from PIL import Image, ImageFilter

_SIDE = 96          # px, longer side of the thumbnail that is measured
_BORDER = 0.06      # depth of the border, as a fraction of the shorter side
_FIGURE = 3.2       # least distance of the figure, in standard deviations of the backdrop
_OWN = 0.35         # least fraction in the figure, not the border, of the product's colours
_BINS = (6, 12, 12)     # of luma and the two chroma channels
THUMBNAIL_SHAPE = (16, 16, 3)
SCORES = ('offset', 'cut', 'clutter', 'area', 'subject', 'colours')


@functools.lru_cache(maxsize=64)
def _layout(height, width):
    """Maps of a thumbnail [h, w]: surface terms [h, w, 6], border, centre (bool [h, w]), weights.

    The weights favour the middle of the image [h, w], and the corners among border pixels [n].
    """
    y, x = np.mgrid[-1:1:height * 1j, -1:1:width * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    depth = max(3, round(_BORDER * min(height, width)))
    border = np.ones([height, width], bool)
    border[depth:-depth, depth:-depth] = False
    centre = (np.abs(x) < 0.4) & (np.abs(y) < 0.45)
    middle = ((1 - x ** 2) * (1 - y ** 2)) ** 2 + 1e-6
    corners = (0.3 + np.abs(x * y))[border]  # products reach into corners least often
    return terms, border, centre, middle, corners


def _colour(picture):
    """A Pillow RGB image as luma and two chroma channels, float64 [h, w, 3], in 0..255 levels."""
    ycc = np.asarray(picture.convert('YCbCr')).astype(np.float64) - [0, 128, 128]
    return ycc * [1, 1.5, 1.5]  # differences in hue are more visible than in brightness


def _backdrop(colour):
    """(residuals [h, w, 3], residuals on the border [n, 3], weights [n]) of the fitted backdrop.

    Iteratively reweighted least squares with Geman-McClure weights, scaled by the median residual.
    """
    terms, border, _, _, prior = _layout(*colour.shape[:2])
    a, c, weights = terms[border], colour[border], prior
    for _ in range(6):
        weighted = a * weights[:, None]
        ridge = np.diag([1e-3, 1, 1, 3, 3, 3]) * 0.02 * weights.sum()  # a prior for a flat surface
        surface = np.linalg.solve(a.T @ weighted + ridge, weighted.T @ c)
        residual = np.linalg.norm(c - a @ surface, axis=1)
        scale = 1.5 * (np.median(residual) + 2)
        weights = prior / (1 + (residual / scale) ** 2) ** 2
    return colour - terms @ surface, c - a @ surface, weights


def _bins(colour):
    """The colour bin of each pixel, int [h, w]; finer in chroma than in luma, as light varies."""
    steps = (colour + [0, 192, 192]) / [256, 384, 384] * _BINS
    luma, blue, red = np.moveaxis(np.clip(steps, 0, np.array(_BINS) - 1).astype(int), -1, 0)
    return (luma * _BINS[1] + blue) * _BINS[2] + red


def _histogram(bins, weights=None):
    """Fraction of pixels per colour bin, smoothed over neighbouring bins."""
    counts = np.bincount(bins, weights, minlength=np.prod(_BINS)).reshape(_BINS)
    for axis in range(3):
        line = np.moveaxis(counts, axis, 0)
        line = np.concatenate([line[:1], line, line[-1:]])
        counts = np.moveaxis(line[1:-1] + 0.5 * (line[:-2] + line[2:]), 0, axis)
    return (counts / counts.sum()).ravel()


def _without_specks(mask):
    """A mask [h, w] after a 5 x 5 median filter."""
    height, width = mask.shape
    padded = np.pad(mask, 2, mode='edge').astype(np.int8)
    columns = sum(padded[first:first + height] for first in range(5))
    return sum(columns[:, first:first + width] for first in range(5)) > 12


def _distance(everywhere, on_border, weights):
    """Mahalanobis distance of each pixel from the backdrop, at most 12: [h, w]."""
    spread = (on_border * weights[:, None]).T @ on_border / weights.sum()
    inverse = np.linalg.inv(1.5 * spread + np.diag([25, 16, 16]))  # at least JPEG noise
    squares = np.einsum('hwi,ij,hwj->hw', everywhere, inverse, everywhere)
    return np.minimum(np.sqrt(squares), 12)


def _product(figure, bins, outside, weights):
    """The product: the figure without shadows, dark corners and a second wall, bool [h, w].

    Only colours rarer in the border count. outside: the border's histogram; weights [h, w]: higher
    in the middle of the image.
    """
    if not figure.any():
        return figure
    inside = _histogram(bins[figure], weights[figure])
    own = inside >= _OWN * (inside + outside)
    return _without_specks(figure & own[bins])


def _offset(figure):
    """How far the figure is off centre, as a fraction of the image; the worse of the two axes.

    The centre is the mean of the centre of mass, which is robust to specks, and the middle of the
    extent, which is robust to a figure found only in outline.
    """
    worst = 0.0
    for axis in (0, 1):
        mass = np.cumsum(figure.sum(axis)) / max(1, figure.sum())
        if mass[-1] == 0:
            return 0.0
        size = len(mass)
        low, high = np.searchsorted(mass, 0.01) / size, (np.searchsorted(mass, 0.99) + 1) / size
        centre = np.sum(np.diff(mass, prepend=0) * (np.arange(size) + 0.5)) / size
        worst = max(worst, abs(((low + high) / 2 + centre) / 2 - 0.5))
    return worst


def _cut(figure):
    """The largest fraction of a side, without its corners, that the figure covers.

    The figure must extend inward for a fifth of the image there, which light on a side does not.
    """
    worst = 0.0
    for side in (figure, figure[::-1], figure.T, figure.T[::-1]):
        height, width = side.shape
        strip = side[1:max(2, height // 5), width // 8:width - width // 8]
        worst = max(worst, np.mean(strip.mean(axis=0) > 0.9))
    return worst


def _colours(picture):
    """Number of colours, at 5 bits per channel, with at least 0.05 % of the pixels each."""
    rgb = np.asarray(picture).astype(int) >> 3
    counts = np.bincount(((rgb[..., 0] << 10) + (rgb[..., 1] << 5) + rgb[..., 2]).ravel())
    return int(np.sum(counts >= 0.0005 * rgb[..., 0].size))


def _subject(distance, fine, border, change):
    """Whether there is anything in front of the backdrop, 0..1: the stronger of two cues.

    The first: some ninth of the image is much farther from the backdrop than the border is, and
    has much sharper edges. The second is `change`: the middle has other colours than the border.
    Cloth that fills the frame shows neither.
    """
    ninths = [part.mean() for rows in np.array_split(distance, 3)
              for part in np.array_split(rows, 3, axis=1)]
    contrast = max(ninths) / (distance[border].mean() + 0.01)
    detail = np.linalg.norm(fine, axis=-1)
    sharpness = np.percentile(detail, 99) / (np.percentile(detail[border], 75) + 1)
    return max(min(1, np.sqrt(contrast * sharpness) / 6.4), change)


def _visible(steps, toward):
    """The visible size [n] of colour differences steps [n, 3], discounting shading.

    toward [n, 3]: the colours. Light and shadow move a colour along this direction; of that
    component only the luma counts.
    """
    unit = toward / np.maximum(np.linalg.norm(toward, axis=1, keepdims=True), 1)
    shading = (steps * unit).sum(1)
    others = steps - shading[:, None] * unit
    return np.hypot(shading * unit[:, 0], np.linalg.norm(others, axis=1))


def _clutter(fine, colour, residual, where):
    """Complexity of the border: its deviation from the backdrop, its grain and its hues.

    fine, residual [h, w, 3]: differences from a blurred image and from the backdrop; where [h, w]:
    the border without the product. Medians tolerate a second wall. The scale is brightness, since
    variation is less visible on bright backgrounds.
    """
    backdrop = (colour - residual)[where]
    deviation = np.median(_visible(residual[where], backdrop))
    grain = np.median(_visible(fine[where], backdrop))
    hues = np.percentile(np.linalg.norm(residual[where][:, 1:], axis=1), 70)
    brightness = np.median(np.linalg.norm(backdrop, axis=1))
    return 100 * (deviation + grain + hues / 2) / (brightness + 250)


def thumbnail(picture):
    """The thumbnail of a Pillow RGB image to find duplicates by: uint8 [16, 16, 3]."""
    return np.asarray(picture.resize(THUMBNAIL_SHAPE[:2], Image.BOX))


def product(picture):
    """The mask of the product in a Pillow RGB image with sides of 16 px or more: bool [h, w]."""
    colour = _colour(picture)
    figure = _without_specks(_distance(*_backdrop(colour)) > _FIGURE)
    _, border, _, middle, _ = _layout(*figure.shape)
    bins = _bins(colour)
    return _product(figure, bins, _histogram(bins[border]), middle)


def measure(picture):
    """The SCORES of a Pillow RGB image, as a dict of floats.

    offset   how far the product is off centre, as a fraction of the image
    cut      fraction of one side that the product covers: it is cut off there
    clutter  complexity of the background, about percent of its brightness
    area     fraction of the image that is not backdrop
    subject  confidence that something is in front of the backdrop, 0..1
    colours  number of colours
    """
    picture = picture.copy()
    picture.thumbnail((_SIDE, _SIDE), Image.BOX)
    if min(picture.size) < 16:  # a strip is too narrow for the maps
        picture = picture.resize([max(16, side) for side in picture.size], Image.BOX)
    colour = _colour(picture)
    fine = colour - _colour(picture.filter(ImageFilter.BoxBlur(2)))
    everywhere, on_border, weights = _backdrop(colour)
    distance = _distance(everywhere, on_border, weights)
    figure = _without_specks(distance > _FIGURE)
    _, border, centre, middle, _ = _layout(*figure.shape)
    bins = _bins(colour)
    inside, outside = _histogram(bins[centre]), _histogram(bins[border])
    change = 0.5 * np.abs(inside - outside).sum()
    product = _product(figure, bins, outside, middle)
    bare = border & ~product
    if bare.sum() < 0.3 * border.sum():  # the product covers the border
        bare = border
    values = {'offset': _offset(product), 'cut': _cut(product), 'area': figure.mean(),
              'clutter': _clutter(fine, colour, everywhere, bare),
              'subject': _subject(distance, fine, border, change), 'colours': _colours(picture)}
    return {name: round(float(values[name]), 4) for name in SCORES}
