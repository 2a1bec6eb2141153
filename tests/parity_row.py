"""One line of the parity table, and how errors are taken."""

import collections

import numpy as np

Row = collections.namedtuple('Row', 'quantity error tolerance')  # the largest absolute error


def error(ours, recorded):
    """The largest absolute difference of two arrays of one shape."""
    assert np.shape(ours) == np.shape(recorded), (np.shape(ours), np.shape(recorded))
    return float(np.abs(np.asarray(ours, np.float64) - np.asarray(recorded, np.float64)).max())


def ours(recorded, prefix, table, scope):
    """Recorded variables by our names. table: of stylegan/released.py."""
    values = {}
    for theirs, (name, _) in table.items():
        if name and prefix + theirs in recorded:
            value = recorded[prefix + theirs]
            is_map = name.endswith(('/const', '/noise'))
            values[scope + name] = value.transpose(0, 2, 3, 1) if is_map else value
    return values


def nhwc(image):
    """Images as ours are laid out."""
    return image.transpose(0, 2, 3, 1)
