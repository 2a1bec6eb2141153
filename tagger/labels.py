"""Labels: a catalogue's attributes as class indices, and back.

A head is one attribute that is classified, such as category or colour, with all of its values.
Some values exclude each other: a skirt has no sleeves, whatever a blurred image looks like. Two
values are taken to exclude each other if no product has both although several would be expected to
if they were independent.
"""

import collections

import numpy as np

from dnnlib.files import UserError

MOST = 100  # values of an attribute; columns with more are not predicted
UNKNOWN = -1  # the label of a value that a head does not have; it is ignored
_FEWEST_KEYS = 10  # of products that share keys, to hold some out
_EXPECTED = 5.0  # least expected products with both values, for them to exclude each other


def _columns(product):
    """{head: value} of one product, the category first."""
    return dict([('category', product.category)] + list(product.attributes))


def _values(products):
    """{column: the set of its values}."""
    found = collections.OrderedDict()
    for product in products:
        for name, value in _columns(product).items():
            found.setdefault(name, set()).add(value)
    return found


def heads_of(products):
    """{name: (value, ...)}: the category, and every attribute column with 2 to 100 values.

    products: catalog.source.Product. Values are sorted; '', which means that the attribute does not
    apply, is one of them if it occurs. Columns with a single value are left out.
    """
    return {name: tuple(sorted(values)) for name, values in _values(products).items()
            if len(values) > 1 and (name == 'category' or len(values) <= MOST)}


def too_varied(products):
    """The attribute columns that are no heads, since they have more than 100 values."""
    return [name for name, values in _values(products).items()
            if name != 'category' and len(values) > MOST]


def read_heads(about):
    """The heads in the `about` of a tagger's file. Raises ValueError if invalid."""
    heads = {str(name): tuple(map(str, values)) for name, values in about['heads']}
    if not 0 < len(heads) <= 1000 or not all(heads.values()):
        raise ValueError('it has no heads, too many, or one without values')
    if any(len(set(values)) != len(values) for values in heads.values()):
        raise ValueError('a head has a value twice')
    return heads


def encode(products, heads):
    """{name: int32 [n]}: index of each product's value in its head, UNKNOWN if it is not there."""
    rows = [_columns(product) for product in products]
    labels = {}
    for name, values in heads.items():
        number = {value: index for index, value in enumerate(values)}
        labels[name] = np.array([number.get(row.get(name), UNKNOWN) for row in rows], np.int32)
    return labels


def split(keys, fractions, seed):
    """Indices of the products in len(fractions) + 1 parts, int arrays; the remainder comes first.

    keys: of the products; those with equal keys, variants of one product, stay together.
    fractions: of the distinct keys, for each part after the first.
    Raises UserError if many products share few keys.
    """
    distinct = list(dict.fromkeys(keys))
    if len(distinct) < min(len(keys), _FEWEST_KEYS):
        raise UserError(f'the {len(keys)} products have only {len(distinct)} different '
                        'descriptions or keys, too few to hold some out; name a column that tells '
                        'products apart, such as: --key-column image')
    order = np.random.RandomState([seed, 41]).permutation(len(distinct))
    ends = np.cumsum([int(np.ceil(fraction * len(distinct))) for fraction in fractions])
    part = {distinct[index]: int(np.searchsorted(ends, place, side='right'))
            for place, index in enumerate(order)}
    parts = np.array([part[key] for key in keys])
    return [np.flatnonzero(parts == number) for number in [len(fractions), *range(len(fractions))]]


def class_weights(labels, count):
    """Class weights inversely proportional to frequency: float32 [count], with mean 1 over labels.

    labels: int [n]. count: number of values; those that do not occur have weight 0.
    """
    counts = np.bincount(labels[labels >= 0], minlength=count)
    weights = counts.sum() / np.maximum(counts, 1) / max(1, np.count_nonzero(counts))
    return np.where(counts > 0, weights, 0).astype(np.float32)


def _first(heads):
    """(index of each head's first value among the values of all heads, number of these)."""
    ends = np.cumsum([0] + [len(values) for values in heads.values()])
    return dict(zip(heads, ends.tolist())), int(ends[-1])


def impossible(labels, heads):
    """Pairs of values that exclude each other: list of [i, j], i < j, indices over all heads.

    labels: {head: int [n]}, below 0 where unknown.
    """
    first, total = _first(heads)
    count = len(next(iter(labels.values())))
    has = np.zeros([count, total], np.float32)
    for name in heads:
        known = np.flatnonzero(labels[name] >= 0)
        has[known, first[name] + labels[name][known]] = 1
    both, each = has.T @ has, has.sum(0)
    owner = np.repeat(np.arange(len(heads)), [len(values) for values in heads.values()])
    other = owner[:, np.newaxis] != owner
    never = other & (both == 0) & (np.outer(each, each) >= _EXPECTED * count)
    return np.argwhere(np.triu(never)).tolist()


def decode(probabilities, heads, pairs):
    """The most probable compatible values: list of {head: (value, probability)}.

    probabilities: {head: float [n, values]}; pairs: of `impossible`. Greedy: the category is
    decided first, then the other heads by confidence. Each probability is renormalised over the
    values still possible.
    """
    first, total = _first(heads)
    compatible = np.ones([total, total], bool)
    for i, j in pairs:
        compatible[i, j] = compatible[j, i] = False
    results = []
    for index in range(len(next(iter(probabilities.values())))):
        rows = {name: probabilities[name][index] for name in heads}
        order = sorted(heads, key=lambda name: (name != 'category', -rows[name].max()))
        possible, decided = np.ones([total], bool), {}
        for name in order:
            own = slice(first[name], first[name] + len(heads[name]))
            allowed = possible[own] if possible[own].any() else np.ones([len(rows[name])], bool)
            masked = np.where(allowed, rows[name], 0) + 1e-12 * allowed
            best = int(masked.argmax())
            possible &= compatible[first[name] + best]
            decided[name] = heads[name][best], float(masked[best] / masked.sum())
        results.append({name: decided[name] for name in heads})
    return results
