"""Products of a rare class: what was asked for, a catalogue of them, and what they cost.

Knows taggers and pictures; how the pictures are made is the business of others.
"""

import numpy as np

from catalog import tables
from tagger import labels
from dnnlib.files import UserError

_SPELT = {'color': 'colour', 'colour': 'color'}  # a heading is found in either spelling


def _shown(values):
    return ', '.join(value or "''" for value in values)


def _value(heads, head, text):
    """The value of a head that `text` names: itself, or the only one that begins so."""
    head = head if head in heads else _SPELT.get(head, head)
    if head not in heads:
        raise UserError(f"there is no attribute '{head}'; known are: {', '.join(heads)}")
    found = [value for value in heads[head] if value == text] or [
        value for value in heads[head] if text and value.startswith(text)]
    if len(found) != 1:
        raise UserError(f"{head} has no value '{text}'; known are: {_shown(heads[head])}")
    return head, found[0]


def wanted(heads, category='', where=''):
    """What was asked for, {head: value}; heads: {name: values} of a tagger.

    category: a category, or a value of any attribute; where: 'head=value,head=value'. Raises
    UserError that lists the known ones.
    """
    asked = {}
    if category:
        found = [head for head, values in heads.items() if category in values]
        if not found:
            raise UserError("there is no '%s'; known are: %s" % (category, '; '.join(
                '%s: %s' % (head, _shown(values)) for head, values in heads.items())))
        if len(found) > 1 and 'category' not in found:
            raise UserError("'%s' is a value of %s; say which with --where %s=%s" % (
                category, ' and '.join(found), found[0], category))
        asked['category' if 'category' in found else found[0]] = category
    for part in filter(None, (part.strip() for part in where.split(','))):
        head, equals, text = part.partition('=')
        if not equals:
            raise UserError(f"--where '{part}' is to read like category=jumpsuit,colour=black")
        head, value = _value(heads, head.strip(), text.strip())
        if asked.setdefault(head, value) != value:
            raise UserError("%s cannot be both '%s' and '%s'; ask for one of them" % (
                head, asked[head], value))
    if not asked:
        raise UserError('nothing was asked for; add --category NAME or --where HEAD=VALUE')
    return asked


def scores(probabilities, heads, asked):
    """How surely pictures are what was asked for, [n]: the least sure of all it asks for.

    probabilities: {head: float [n, values]}; asked: {head: value}.
    """
    return np.min([probabilities[head][:, heads[head].index(value)]
                   for head, value in asked.items()], axis=0)


def _views(pictures):
    """uint8 [n, h, w, 3] mirrored, moved, softened and darkened: the same things to see."""
    height, width = pictures.shape[1:3]
    yield pictures[:, :, ::-1]
    yield np.roll(pictures, max(1, height // 20), 1)
    yield np.roll(pictures, -max(1, width // 20), 2)
    framed = np.pad(pictures, [(0, 0), (1, 1), (1, 1), (0, 0)], 'edge').astype(np.float32)
    yield np.uint8(np.mean([framed[:, y:y + height, x:x + width]
                            for y in range(3) for x in range(3)], axis=0))
    yield np.uint8(pictures * 0.85)


def steady_scores(tagger, asked, pictures, sure):
    """As `scores` for pictures uint8 [n, h, w, 3], n > 0, but the least of several views of each.

    A tagger that is chosen by finds pictures that please it by accident; such a one looks
    different as soon as it is mirrored or softened. Pictures below `sure` are not looked at again.
    """
    result = scores(tagger.probabilities(pictures), tagger.heads, asked)
    for view in _views(pictures):
        left = np.flatnonzero(result >= sure)
        if len(left):
            again = scores(tagger.probabilities(view[left]), tagger.heads, asked)
            result[left] = np.minimum(result[left], again)
    return result


def knows(heads, asked):
    """Whether a tagger with these heads can judge what was asked for."""
    return all(value in heads.get(head, ()) for head, value in asked.items())


def judged(tagger, asked, pictures):
    """The share of pictures uint8 [n, h, w, 3] that a tagger takes for what was asked for."""
    probabilities = tagger.probabilities(pictures)
    right = [probabilities[head].argmax(1) == tagger.heads[head].index(value)
             for head, value in asked.items()]
    return float(np.all(right, 0).mean())


def kept(tagger, asked, before, after):
    """{head: share of pictures that still show the same value}, of all heads not asked for.

    before, after: uint8 [n, h, w, 3], the same products before and after they became of the class.
    """
    was, now = [tagger.probabilities(pictures) for pictures in (before, after)]
    return {head: float((was[head].argmax(1) == now[head].argmax(1)).mean())
            for head in was if head not in asked and head != 'category'}


def among(products, asked):
    """Indices of the products (catalog.source.Product) that are what was asked for."""
    return [index for index, product in enumerate(products)
            if asked.items() <= dict(product.attributes, category=product.category).items()]


def chosen(products, category, where):
    """The products that are what was asked for, as `wanted` reads it. Raises UserError if there
    are none."""
    heads = labels.heads_of(products)
    if not heads:
        raise UserError('the catalogue has neither two categories nor a column of attributes to '
                        'choose by; leave --category and --where out')
    asked = wanted(heads, category, where)
    found = among(products, asked)
    if not found:
        raise UserError('not one of the %d products is all of %s; ask for less at once' % (
            len(products), ', '.join('%s=%s' % pair for pair in asked.items())))
    return [products[index] for index in found]


def measured(harvest, *, asked, judge, diversity, nearest, found, reals, before):
    """The figures of one method, a JSON-able dict; None where something is not known.

    harvest:   what it brought in: pictures, raw, drawn, seconds.
    judge:     a Tagger that learnt from other data than the one that chose, or None.
    diversity: function pictures -> float, the mean distance of two of them.
    nearest:   function pictures -> distances [n] to the nearest training photo, or None.
    found:     diversity of what the search has found. reals: that of real photos, or None.
    before:    (pictures, seconds) that were spent before this method could begin.
    """
    count, own = len(harvest.pictures), diversity(harvest.pictures)
    gaps = nearest(harvest.pictures) if nearest else None
    return {
        'accepted': count, 'drawn': harvest.drawn,
        'yield': judged(judge, asked, harvest.pictures) if judge else None,
        'yield_of_all_drawn': judged(judge, asked, harvest.raw)
                              if judge and harvest.raw is not None else None,
        'diversity': own, 'diversity_of_found': own / found if found else None,
        'diversity_of_real': own / reals if reals else None,
        'nearest_median': float(np.median(gaps)) if nearest else None,
        'nearest_least': float(np.min(gaps)) if nearest else None,
        'pictures_each': harvest.drawn / count, 'seconds_each': harvest.seconds / count,
        'pictures_each_all_in': (harvest.drawn + before[0]) / count,
        'seconds_each_all_in': (harvest.seconds + before[1]) / count}


_COLUMNS = (  # heading, figure, form
    ('accepted', 'accepted', '%d'), ('yield', 'yield', '%.3f'),
    ('unfiltered', 'yield_of_all_drawn', '%.3f'), ('diversity', 'diversity', '%.2f'),
    ('/ found', 'diversity_of_found', '%.2f'), ('/ real', 'diversity_of_real', '%.2f'),
    ('nearest', 'nearest_median', '%.2f'), ('least', 'nearest_least', '%.2f'),
    ('pictures', 'pictures_each', '%.2f'), ('seconds', 'seconds_each', '%.3f'),
    ('all in', 'pictures_each_all_in', '%.1f'), ('seconds', 'seconds_each_all_in', '%.3f'))
_LEGEND = '''\
yield: share that the second tagger takes for it, of the accepted; unfiltered: of all drawn
diversity: mean distance of two pictures' features; / found: against what the search found
nearest: median distance to the nearest training photo, in units of the usual one between photos
pictures, seconds: generated and looked at per accepted one; all in: the search counted as well'''


def table(rows):
    """{method: figures} as text."""
    lines = ['%-9s' % 'method' + ''.join('%11s' % heading for heading, _, _ in _COLUMNS)]
    for method, row in rows.items():
        lines.append(f'{method:9}' + ''.join(
            '%11s' % ('-' if row[name] is None else form % row[name])
            for _, name, form in _COLUMNS))
    each = {method: row['pictures_each'] for method, row in rows.items()}
    lines += ['', _LEGEND] + [
        '%s: %.1f times fewer pictures per accepted one than the search (%.1f with the search '
        'counted)' % (method, each['search'] / own,
                      each['search'] / rows[method]['pictures_each_all_in'])
        for method, own in each.items() if method != 'search' and 'search' in each] + [
        '%s keeps, of what the pictures showed before: %s' % (method, ', '.join(
            '%s %.0f %%' % (head, 100 * share) for head, share in row['kept'].items()))
        for method, row in rows.items() if 'kept' in row]
    return '\n'.join(lines)


def write_table(folder, products, heads):
    """Write products.csv, so that the folder is a catalogue.

    products: dicts as `fakes.write` makes them, with attributes {head: value}; heads: the columns.
    """
    columns = ['image', 'description', 'category'] + [h for h in heads if h != 'category']
    tables.write_rows(folder / 'products.csv', columns, (
        dict({head: product['attributes'].get(head, '') for head in columns[3:]},
             image=product['image'], description=product['text'], category=product['category'])
        for product in products))
