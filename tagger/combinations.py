"""Values that never go together: a skirt has no sleeves, whatever a blurred picture looks like.

Learnt from the labels alone: two values exclude each other if chance would have brought them
together several times, and not one product has both.
"""

import numpy as np

_EXPECTED = 5.0  # products that have both values, were they independent


def _first(heads):
    """The number of each head's first value, when all values of all heads are counted through."""
    ends = np.cumsum([0] + [len(values) for values in heads.values()])
    return dict(zip(heads, ends.tolist())), int(ends[-1])


def impossible(labels, heads):
    """Pairs of values that exclude each other: list of [i, j], i < j, numbers over all heads.

    labels: {head: int [n]}, below 0 where it is not known.
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
    """The likeliest values that go together: list of {head: (value, probability)}.

    probabilities: {head: float [n, values]}; pairs: of `impossible`. The category is decided
    first, then the other heads, the surest first; each chooses among what goes with the values
    before it, and its probability is a share of those.
    """
    first, total = _first(heads)
    fits = np.ones([total, total], bool)
    for i, j in pairs:
        fits[i, j] = fits[j, i] = False
    results = []
    for index in range(len(next(iter(probabilities.values())))):
        rows = {name: probabilities[name][index] for name in heads}
        order = sorted(heads, key=lambda name: (name != 'category', -rows[name].max()))
        open_, found = np.ones([total], bool), {}
        for name in order:
            place = slice(first[name], first[name] + len(heads[name]))
            allowed = open_[place] if open_[place].any() else np.ones([len(rows[name])], bool)
            shares = np.where(allowed, rows[name], 0) + 1e-12 * allowed
            best = int(shares.argmax())
            open_ &= fits[first[name] + best]
            found[name] = heads[name][best], float(shares[best] / shares.sum())
        results.append({name: found[name] for name in heads})
    return results
