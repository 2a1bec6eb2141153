"""The catalogue's products most like an image: exact cosine similarity by one matrix product.

An image has two unit vectors: the features of the tagger, which tell shape and kind, and a colour
histogram. The similarity is their weighted mean, so that a person can say how much colour counts.
Both are cached beside the catalogue, in rows that are found by the content of an image's file.
"""

import hashlib

import numpy as np

from dnnlib import archive, files, images

MOST = 200000  # products; see docs/explorer.md for time and memory
_BINS = 4  # of each colour channel
_BATCH = 64
_SIDE = 32  # px at which colours are counted
_BACKGROUND = 24.0  # levels from the colour of the border at which a pixel is surely product
_FORMAT = 1


def colours(pictures):
    """uint8 [n, h, w, 3] -> unit vectors float32 [n, 64]: histograms of the product's colours.

    A pixel counts by how far it is from the image's border. The root makes the cosine of two
    histograms their Bhattacharyya coefficient.
    """
    small = np.stack([images.square(picture, _SIDE) for picture in pictures]).astype(np.float32)
    border = np.concatenate([small[:, 0], small[:, -1], small[:, :, 0], small[:, :, -1]], 1)
    pixels = small.reshape(len(small), -1, 3)
    apart = np.abs(pixels - np.median(border, 1)[:, np.newaxis]).max(2)
    weights = np.clip(apart / _BACKGROUND, 0, 1) + 1e-6  # a blank image has a histogram as well
    place = pixels / 255 * (_BINS - 1)
    low = np.minimum(place.astype(int), _BINS - 2)
    share = place - low
    result = np.zeros([len(small), _BINS ** 3], np.float32)
    rows = np.arange(len(small))[:, np.newaxis]
    for corner in range(8):  # each pixel is shared among the eight bins around it
        offset = np.array([corner >> axis & 1 for axis in range(3)])
        bins = (low + offset) @ np.array([_BINS ** 2, _BINS, 1])
        np.add.at(result, (rows, bins),
                  weights * np.where(offset, share, 1 - share).prod(2))
    return _unit(np.sqrt(result))


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _described(pictures, tagger):
    """uint8 [n, h, w, 3] -> float32 [n, d]: features of the tagger, then colours."""
    return np.concatenate([tagger.features(pictures), colours(pictures)], 1).astype(np.float32)


class Library:
    """Products to search in.

    products: list of catalog.source.Product, each with an image. rows: float32 [n, d], of
    `described`.
    """

    def __init__(self, products, rows):
        self.products = products
        self.categories = sorted({product.category for product in products} - {''})
        self._categories = np.array([product.category for product in products])
        split = rows.shape[1] - _BINS ** 3
        self._mean = rows[:, :split].mean(0)  # what all have in common makes no difference
        self._rows = self._normalised(rows)

    def _normalised(self, rows):
        """Features without what all products have in common, and colours, each of unit length."""
        split = len(self._mean)
        return np.concatenate([_unit(rows[:, :split] - self._mean), rows[:, split:]], 1)

    def nearest(self, pictures, tagger, category='', colour=0.3, count=12):
        """The products most like an image, uint8 [1, h, w, 3]: list of (index, similarity).

        category: only products of it; '': all. colour: the weight of colour, 0 to 1.
        """
        query = self._normalised(_described(pictures, tagger))[0]
        query[:len(self._mean)] *= 1 - colour
        query[len(self._mean):] *= colour
        scores = self._rows @ query
        chosen = np.flatnonzero(self._categories == category) if category else np.arange(
            len(scores))
        count = min(count, len(chosen))
        if not count:
            return []
        best = chosen[np.argpartition(-scores[chosen], count - 1)[:count]]
        best = best[np.lexsort((best, -scores[best]))]
        return [(int(index), float(scores[index])) for index in best]


def read(products, tagger, cache, between):
    """The Library of products (catalog.source.Product with an image).

    Products whose image cannot be read are left out. cache: a file of rows, which is read and
    written. tagger: tagger.image_tagger.ImageTagger. between: see `Worker.between`. Raises
    UserError for more than MOST products or if none can be read.
    """
    if len(products) > MOST:
        raise files.UserError(f'the catalogue has {len(products)} products; the explorer can '
                              f'search in {MOST}')
    made = {'format': _FORMAT, 'tagger': archive.digest(tagger.values)}
    known = _cached(cache, made)
    found, missing = [], []
    for product in products:
        between()
        try:
            digest = hashlib.sha256(product.image.read_bytes()).hexdigest()[:32]
        except OSError:
            continue
        found.append((product, digest))
        if digest not in known:
            known[digest] = None
            missing.append((product, digest))
    for start in range(0, len(missing), _BATCH):
        _add(known, missing[start:start + _BATCH], tagger, between)
    if missing:
        held = {digest: row for digest, row in known.items() if row is not None}
        _keep(cache, held, made)
    found = [(product, known[digest]) for product, digest in found if known[digest] is not None]
    if not found:
        raise files.UserError(f'none of the {len(products)} images can be read')
    return Library([product for product, _ in found], np.stack([row for _, row in found]))


def _cached(path, made):
    """{digest of a file: row} of a cache that was made alike; {} of none, or a damaged one."""
    try:
        with archive.reading(path, 'cache of the explorer', 'delete it') as arrays:
            about = archive.about(arrays)
            rows, digests = archive.finite(arrays)['rows'], arrays['digests']
            if rows.ndim != 2 or len(rows) != len(digests):
                raise ValueError(f'its rows have the shape {rows.shape}')
    except files.UserError:
        return {}
    return dict(zip(digests.tolist(), rows)) if about == made else {}


def _keep(path, known, made):
    """Write the cache; without it all is computed again the next time."""
    try:
        archive.write(path, {'digests': list(known), 'rows': np.stack(list(known.values()))}, made,
                      packed=False)
    except (files.DiskFull, OSError) as error:
        print(f'{path} could not be written ({error}); features are computed at each start')


def _add(known, chosen, tagger, between):
    """Describe the images of (product, digest) pairs and put their rows into `known`."""
    pictures, digests = [], []
    for product, digest in chosen:
        between()
        try:
            picture = images.open_rgb(product.image, draft=2 * tagger.side)
        except images.Unreadable:
            continue
        pictures.append(images.square(picture, tagger.side))
        digests.append(digest)
    if pictures:
        known.update(zip(digests, _described(np.stack(pictures), tagger)))
