"""Values that exclude each other: a skirt has no sleeves, whatever a blurred picture looks like.

Learnt from the labels alone: two values exclude each other if several products would have both,
were they independent, and none has.
"""

import numpy as np

_EXPECTED = 5.0  # products with both values, were they independent


def _first(heads):
    """Index of each head's first value among the values of all heads, and how many those are."""
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
    """The likeliest values that do not exclude each other: list of {head: (value, probability)}.

    probabilities: {head: float [n, values]}; pairs: of `impossible`. Greedy: the category is
    decided first, then the other heads, the most confident first. Each chooses among the values
    that are still possible, and its probability is renormalised over these.
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
