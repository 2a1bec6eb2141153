"""Labelled pictures as arrays: what a classifier learns from, and what it is tested on."""

import hashlib

import numpy as np

from tagger import labels as catalogue_labels
from dnnlib import images
from dnnlib.files import UserError


class Photos:
    """Labelled pictures: pictures uint8 [n, side, side, 3], labels int [n] into classes."""

    def __init__(self, pictures, labels, classes):
        assert len(pictures) == len(labels), (len(pictures), len(labels))
        self.pictures, self.labels, self.classes = pictures, labels, tuple(classes)

    def __len__(self):
        return len(self.labels)

    def digest(self):
        """A short fingerprint of all of it."""
        parts = hashlib.sha256(repr(self.classes).encode('utf-8'))
        for array in (self.pictures, self.labels):
            parts.update(np.ascontiguousarray(array).tobytes())
        return parts.hexdigest()[:16]

    def part(self, chosen):
        """Those with these indices."""
        return Photos(self.pictures[chosen], self.labels[chosen], self.classes)

    def plus(self, pictures, label):
        """With more pictures of one class."""
        more = np.full(len(pictures), label, self.labels.dtype)
        return Photos(np.concatenate([self.pictures, pictures]),
                      np.concatenate([self.labels, more]), self.classes)


def labelled(pictures, products, classes):
    """Photos of those products (catalog.source.Product) whose category is one of `classes`.

    pictures: uint8 [n, side, side, 3], one of each product.
    """
    known = [index for index, product in enumerate(products) if product.category in classes]
    return Photos(pictures[known], np.array([classes.index(products[i].category) for i in known],
                                            np.int32), classes)


def split(products, share, seed):
    """Products to train on and to test on; equal keys, the same product, stay together."""
    train, test = catalogue_labels.split([p.key for p in products], (share,), seed)
    return [products[i] for i in train], [products[i] for i in test]


def known(classes, name):
    """The index of a class. Raises UserError that lists the known ones."""
    if not any(classes):
        raise UserError('the catalogue names no categories; give one with folders or a column '
                        'category in products.csv')
    if name not in classes:
        raise UserError("there is no category '%s'; known are: %s" % (
            name, ', '.join(value or "''" for value in classes)))
    return classes.index(name)


def few(train, rare, count, seed):
    """Photos with `count` of those of class `rare` only, drawn by `seed`; all others stay."""
    ours = np.flatnonzero(train.labels == rare)
    chosen = np.random.RandomState([seed, count, 72]).permutation(ours)[:count]
    return train.part(np.sort(np.concatenate([np.flatnonzero(train.labels != rare), chosen])))


def at(pictures, side):
    """Pictures at `side` pixels."""
    if pictures.shape[1] == side or not len(pictures):
        return pictures.reshape([len(pictures), side, side, 3])
    return np.stack([images.square(picture, side) for picture in pictures])
