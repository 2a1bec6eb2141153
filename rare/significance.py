"""Is a difference between two classifiers more than chance? Scores, and how sure they are.

Everything is computed for many weightings of the same test items at once, which is what a bootstrap
is (Efron 1979). Classifiers are compared on the same resampled items: the bootstrap is paired.
"""

import numpy as np

_TINY = 1e-12


def resampled(items, seeds, count, seed):
    """`count` bootstrap samples -> (weights float32 [count, items], shares float32 [count, seeds]).

    How often each of the test items was drawn, and what share each training seed has: both are
    drawn anew, with replacement. The first sample is the data as it is.
    """
    random = np.random.RandomState([seed, 71])
    weights = np.ones([count, items], np.float32)
    shares = np.full([count, seeds], 1 / seeds, np.float32)
    for row in range(1, count):
        weights[row] = np.bincount(random.randint(items, size=items), minlength=items)
        shares[row] = np.bincount(random.randint(seeds, size=seeds), minlength=seeds) / seeds
    return weights, shares


def precision_recall_f1(guessed, truth, weights):
    """guessed bool [n, k], truth bool [n], weights [b, n] -> precision, recall, F1, [b, k] each."""
    guessed, truth = np.float32(guessed), np.float32(truth)[:, np.newaxis]
    hits, found = weights @ (guessed * truth), weights @ guessed
    there = weights @ truth
    return hits / np.maximum(found, _TINY), hits / np.maximum(there, _TINY), (
        2 * hits / np.maximum(found + there, _TINY))


def average_precision(scores, truth, weights=None):
    """Area under the precision-recall curve, [b]: the mean precision at each positive.

    scores [n], truth bool [n], weights [b, n] or None for one weighting by 1. Items of equal score
    come in together. Nothing is interpolated (Davis and Goadrich 2006, section 3); 0 without
    positives.
    """
    weights = np.ones([1, len(scores)]) if weights is None else weights
    order = np.argsort(-np.asarray(scores), kind='stable')
    ranked, last = scores[order], np.ones(len(scores), bool)
    last[:-1] = ranked[1:] != ranked[:-1]  # the last item of each score
    weights = np.asarray(weights, np.float64)[:, order]
    hits = np.cumsum(weights * np.asarray(truth)[order], 1)[:, last]
    precision = hits / np.maximum(np.cumsum(weights, 1)[:, last], _TINY)
    gains = np.diff(np.concatenate([np.zeros([len(hits), 1]), hits], 1), axis=1)
    return (gains * precision).sum(1) / np.maximum(hits[:, -1], _TINY)


def difference(ours, theirs):
    """Of two figures over the same bootstrap samples [b] -> (difference, low, high, p).

    The difference is that of the first sample, the data; low and high enclose 95 % of the others;
    p is two-sided, the chance of so one-sided a result if there were no difference.
    """
    differences = ours - theirs
    drawn = differences[1:]
    low, high = np.percentile(drawn, [2.5, 97.5])
    tail = min((drawn <= 0).sum(), (drawn >= 0).sum())
    return (float(differences[0]), float(low), float(high),
            float(min(1.0, 2 * (tail + 1) / (len(drawn) + 1))))


def holm(ps):
    """p values adjusted for how many there are (Holm 1979), in the same order: a list of floats."""
    order, adjusted, highest = np.argsort(ps, kind='stable'), [0.0] * len(ps), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = highest
    return adjusted
