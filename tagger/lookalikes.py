"""A nearest-neighbour classifier of images, for generators whose catalogue has no tagger.

A library of tagged thumbnails is kept beside a trained generator. An image gets the category and
tags of the majority of its nearest neighbours.
"""

import collections

import numpy as np

from dnnlib import archive, images, neighbours, progress
from tagger.agreement import Comparison, Prediction

SIDE = 16  # pixels of a thumbnail: enough for colour, length, sleeves and legs
NEIGHBOURS = 7
MOST = 2000  # products in a library


def _thumbnails(pictures):
    """uint8 [n, h, w, 3] -> float32 [n, features]."""
    small = np.stack([images.square(picture, SIDE) for picture in pictures])
    return small.reshape(len(small), -1).astype(np.float32) / 255


def write(path, products, *, fit='pad', seed=0):
    """Write the library of `products` (catalog.source.Product with an image) as an `.npz`.

    At most MOST products, chosen at random. Products without category and tags are left out. No
    file is written if none remain or if it exists.
    """
    products = [product for product in products if product.category or product.tags]
    if path.exists() or not products:
        return
    order = np.random.RandomState(seed).permutation(len(products))[:MOST]
    thumbnails, categories, tags = [], [], []
    for index in progress.bar(sorted(order), what='tagged thumbnails', unit='image'):
        try:
            picture = images.open_rgb(products[index].image, draft=SIDE * 4)
        except images.Unreadable:
            continue
        thumbnails.append(images.square(picture, SIDE, fit))
        categories.append(products[index].category)
        tags.append('\n'.join(products[index].tags))
    archive.write(path, {'thumbnails': thumbnails, 'categories': categories, 'tags': tags})


class Lookalikes:
    """A library that `write` wrote, with the interface of a ProductTagger. Raises UserError."""

    images = texts = None  # a ProductTagger has both taggers, this has neither

    def __init__(self, path):
        self.path = path
        with archive.reading(path, 'library of lookalikes', 'delete it and type the train-stylegan '
                             'command of its folder again') as arrays:
            self._features = _thumbnails(arrays['thumbnails'])
            self._categories = [str(name) for name in arrays['categories']]
            self._tags = [[tag for tag in str(text).split('\n') if tag] for text in arrays['tags']]

    def categories(self):
        """The set of all categories in the library."""
        return set(self._categories)

    def describe(self, pictures):
        """uint8 [n, h, w, 3] -> list of Prediction, by majority vote of the nearest neighbours.

        Tags are those of more than half of the neighbours in the winning category, those of the
        nearest first, the category last.
        """
        results = []
        count = min(NEIGHBOURS, len(self._features))
        for nearest in neighbours.nearest(_thumbnails(pictures), self._features, count)[0]:
            category = collections.Counter(
                self._categories[i] for i in nearest).most_common(1)[0][0]
            same = [i for i in nearest if self._categories[i] == category]
            votes = collections.Counter(tag for i in same for tag in set(self._tags[i]))
            ordered = dict.fromkeys(tag for i in same for tag in self._tags[i])
            tags = [tag for tag in ordered if votes[tag] * 2 > len(same) and tag != category]
            results.append(Prediction(category, tags + [category] * bool(category), {}, {}))
        return results

    def check(self, picture, text):
        """An empty Comparison: texts are not classified."""
        return Comparison({}, [])
