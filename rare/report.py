"""Yield, diversity, cost and distance to photos of each method of `rare`, and its catalogue."""

import numpy as np

from catalog import tables
from dnnlib import neighbours
from stylegan.metrics import measure
from tagger import target


def knows(heads, wanted):
    """Whether a tagger with these heads knows the target class."""
    return all(value in heads.get(head, ()) for head, value in wanted.items())


def judged(tagger, wanted, pictures):
    """The share of images uint8 [n, h, w, 3] that a tagger assigns to the target class."""
    probabilities = tagger.probabilities(pictures)
    right = [probabilities[head].argmax(1) == tagger.heads[head].index(value)
             for head, value in wanted.items()]
    return float(np.all(right, 0).mean())


def kept(tagger, wanted, before, after):
    """{head: share of images that still show the same value}, of all heads that are not wanted.

    before, after: uint8 [n, h, w, 3], the same products before and after they became of the class.
    """
    was, now = [tagger.probabilities(pictures) for pictures in (before, after)]
    return {head: float((was[head].argmax(1) == now[head].argmax(1)).mean())
            for head in was if head not in wanted and head != 'category'}


class Reference:
    """What the images of a method are compared with.

    wanted: {head: value}. tagger: the Tagger that selected them. judge: a Tagger trained on
    other data, or None; it is not used if it does not know the target class. photos: uint8
    [n, res, res, 3] of the training set and its products in order, or None where it is not known.
    """

    def __init__(self, wanted, tagger, judge=None, photos=None, products=()):
        self._wanted, self._photos = wanted, photos
        self._judge = judge if judge and knows(judge.heads, wanted) else None
        self._tagger = self._judge or tagger  # whose features tell how varied images are
        own = target.among(products, wanted)
        self._real_diversity = self.diversity(photos[own]) if own else None

    def diversity(self, pictures):
        """The mean distance of two images' features."""
        return neighbours.mean_distance(self._tagger.features(pictures))

    def figures(self, accepted, found=None, before=(0, 0)):
        """The figures of one method, a JSON-able dict; None where something is not known.

        accepted: region.Accepted. found: the Accepted of the search, or None. before: (images,
        seconds) that were spent before this method could begin.
        """
        judge, count, own = self._judge, len(accepted.pictures), self.diversity(accepted.pictures)
        found = self.diversity(found.pictures) if found else None
        nearest = None
        if self._photos is not None:
            nearest = measure.nearest(accepted.pictures, self._photos, count=1)[1][:, 0]
        return {
            'accepted': count, 'drawn': accepted.drawn,
            'yield': judged(judge, self._wanted, accepted.pictures) if judge else None,
            'yield_of_all_drawn': judged(judge, self._wanted, accepted.raw)
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
yield: share that the second tagger takes for it, of the accepted; unfiltered: of all drawn
diversity: mean distance of two images' features; / found: against what the search found
nearest: median distance to the nearest training photo, in units of the usual one between photos
images, seconds: generated and looked at per accepted one; all in: the search counted as well'''


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
            all_in = each['search'] / rows[method]['pictures_each_all_in']
            lines.append(f'{method}: {each["search"] / own:.1f} times fewer images per accepted '
                         f'one than the search ({all_in:.1f} with the search counted)')
    for method, row in rows.items():
        if 'kept' in row:
            lines.append(f'{method} keeps, of what the images showed before: ' + ', '.join(
                f'{head} {100 * share:.0f} %' for head, share in row['kept'].items()))
    return '\n'.join(lines)


def write_table(folder, products, heads):
    """Write products.csv, so that the folder is a catalogue.

    products: dicts as `commands.products.write_products` returns them, with attributes
    {head: value}; heads: the columns.
    """
    columns = ['image', 'description', 'category'] + [h for h in heads if h != 'category']
    tables.write_rows(folder / 'products.csv', columns, (
        dict({head: product['attributes'].get(head, '') for head in columns[3:]},
             image=product['image'], description=product['text'], category=product['category'])
        for product in products))
