"""Yield, diversity, cost and distance to photos of each method of `rare`, and its catalogue."""

import numpy as np

from catalog import tables
from dnnlib import neighbours
from stylegan.metrics import measure
from tagger import target_class


def knows(heads, target):
    """Whether a tagger with these heads can predict the target class {head: value}."""
    return all(value in heads.get(head, ()) for head, value in target.items())


def hit_rate(tagger, target, pictures):
    """The fraction of images uint8 [n, h, w, 3] that a tagger assigns to the target class."""
    probabilities = tagger.probabilities(pictures)
    right = [probabilities[head].argmax(1) == tagger.heads[head].index(value)
             for head, value in target.items()]
    return float(np.all(right, 0).mean())


def kept(tagger, target, before, after):
    """{head: fraction of images that keep their value}, of all heads outside of the target.

    before, after: uint8 [n, h, w, 3], the same products before and after the shift.
    """
    was, now = [tagger.probabilities(pictures) for pictures in (before, after)]
    return {head: float((was[head].argmax(1) == now[head].argmax(1)).mean())
            for head in was if head not in target and head != 'category'}


class Reference:
    """What the images of a method are compared with.

    target: {head: value}. tagger: the Tagger that selected them. judge: a Tagger trained on
    other data, or None; it is not used if it does not know the target class. photos: uint8
    [n, res, res, 3] of the training set, or None if unknown; products: theirs, in this order.
    """

    def __init__(self, target, tagger, judge=None, photos=None, products=()):
        self._target, self._photos = target, photos
        self._judge = judge if judge and knows(judge.heads, target) else None
        self._tagger = self._judge or tagger  # its features measure diversity
        own = target_class.among(products, target)
        self._real_diversity = self.diversity(photos[own]) if own else None

    def diversity(self, pictures):
        """The mean pairwise distance of the images' features."""
        return neighbours.mean_distance(self._tagger.features(pictures))

    def figures(self, accepted, found=None, before=(0, 0)):
        """The figures of one method, a JSON-able dict; None where something is not known.

        accepted: region.Accepted. found: the Accepted of the search, or None. before: (images,
        seconds) spent on search and refinement.
        """
        judge, count, own = self._judge, len(accepted.pictures), self.diversity(accepted.pictures)
        found = self.diversity(found.pictures) if found else None
        nearest = None
        if self._photos is not None:
            nearest = measure.nearest(accepted.pictures, self._photos, count=1)[1][:, 0]
        return {
            'accepted': count, 'drawn': accepted.drawn,
            'yield': hit_rate(judge, self._target, accepted.pictures) if judge else None,
            'yield_of_all_drawn': hit_rate(judge, self._target, accepted.raw)
                                  if judge and accepted.raw is not None else None,
            'diversity': own, 'diversity_of_found': own / found if found else None,
            'diversity_of_real': own / self._real_diversity if self._real_diversity else None,
            'nearest_median': None if nearest is None else float(np.median(nearest)),
            'nearest_least': None if nearest is None else float(np.min(nearest)),
            'pictures_each': accepted.drawn / count, 'seconds_each': accepted.seconds / count,
            'pictures_each_all_in': (accepted.drawn + before[0]) / count,
            'seconds_each_all_in': (accepted.seconds + before[1]) / count}


_COLUMNS = (  # heading, figure, form
    ('accepted', 'accepted', 'd'), ('yield', 'yield', '.3f'),
    ('unfiltered', 'yield_of_all_drawn', '.3f'), ('diversity', 'diversity', '.2f'),
    ('/ found', 'diversity_of_found', '.2f'), ('/ real', 'diversity_of_real', '.2f'),
    ('nearest', 'nearest_median', '.2f'), ('least', 'nearest_least', '.2f'),
    ('images', 'pictures_each', '.2f'), ('seconds', 'seconds_each', '.3f'),
    ('all in', 'pictures_each_all_in', '.1f'), ('seconds', 'seconds_each_all_in', '.3f'))
_LEGEND = '''\
yield: fraction that the second tagger (--judge) assigns to the class, of the accepted; unfiltered:
of all; a dash: none is known that has this class
diversity: mean pairwise distance of features; / found: relative to what the search found
nearest: median distance to the nearest training photo, relative to that between photos
images, seconds: generated and scored per accepted one; all in: with the search'''


def _times(ratio):
    return f'{ratio:.1f} times fewer' if ratio >= 1 else f'{1 / ratio:.1f} times more'


def table(rows):
    """{method: figures} as text."""
    lines = [f"{'method':9}" + ''.join(f'{heading:>11}' for heading, _, _ in _COLUMNS)]
    for method, row in rows.items():
        lines.append(f'{method:9}' + ''.join(
            f"{'-' if row[name] is None else format(row[name], form):>11}"
            for _, name, form in _COLUMNS))
    each = {method: row['pictures_each'] for method, row in rows.items()}
    lines += ['', _LEGEND]
    for method, own in each.items():
        if method != 'search' and 'search' in each:
            once, all_in = [_times(each['search'] / images) for images in (
                own, rows[method]['pictures_each_all_in'])]
            lines.append(f'{method}: {once} images per accepted one than the search ({all_in} with '
                         'the search counted)')
    for method, row in rows.items():
        if 'kept' in row:
            lines.append(f'{method}: attributes unchanged: ' + ', '.join(
                f'{head} {100 * share:.0f} %' for head, share in row['kept'].items()))
    return '\n'.join(lines)


def write_table(folder, products, heads, heading=True):
    """Write products.csv, which makes the folder a catalogue.

    products: dicts as `commands.products.write_products` returns them, with attributes
    {head: value}; heads: the columns; heading: whether the table begins with their names.
    """
    columns = ['image', 'description', 'category'] + [h for h in heads if h != 'category']
    tables.write_rows(folder / 'products.csv', columns, (
        dict({head: product['attributes'].get(head, '') for head in columns[3:]},
             image=product['image'], description=product['text'], category=product['category'])
        for product in products), heading)
