"""Near-duplicates: pictures whose thumbnails differ by no more than scaling and JPEG cause."""

import numpy as np

from dnnlib import neighbours

_BLOCK = 256  # pictures compared with all before them at once


def find(thumbnails, limit):
    """For each picture the most similar one before it that is no duplicate itself.

    thumbnails: uint8 [n, h, w, 3], the ones to prefer first. A mirrored picture is another one.
    Returns (nearest, difference): index of the most similar picture among those that are distinct
    so far, -1 if there is none, and the RMS difference to it in 0..255 levels (inf without one).
    A picture is a duplicate, and not distinct, if its difference is `limit` or less.
    """
    count = len(thumbnails)
    flat = np.asarray(thumbnails).reshape(count, -1).astype(np.float32) - 128
    nearest, difference = np.full([count], -1), np.full([count], np.inf)
    distinct = np.zeros([count], bool)
    for start in range(0, count, _BLOCK):
        block = flat[start:start + _BLOCK]
        gaps = neighbours.distances(block, flat[:start + len(block)]) / flat.shape[1] ** 0.5
        for row in range(len(block)):
            index = start + row
            others = np.flatnonzero(distinct[:index])
            if len(others):
                best = others[np.argmin(gaps[row, others])]
                nearest[index], difference[index] = best, gaps[row, best]
            distinct[index] = difference[index] > limit
    return nearest, difference
