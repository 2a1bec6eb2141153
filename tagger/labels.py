"""What a catalogue says about its products as numbers, and how well guesses at it fit.

A head is one question about a product, such as its category or its colour, with all the answers
that occur. Knows products, arrays and nothing of what guesses: pictures and texts are tagged alike.
"""

import collections

import numpy as np

from tagger import calibration

_MOST = 40  # values of an attribute; a column of more is free text
UNKNOWN = -1  # the label of a value that a head does not have; it teaches and counts nothing


def _columns(product):
    """{head: value} of one product, the category first."""
    return dict([('category', product.category)] + list(product.attributes))


def heads_of(products):
    """{name: (value, ...)}: the category, and every attribute column with 2 to 40 values.

    products: catalog.source.Product. Values are sorted; '' is one of them where it occurs: the
    attribute does not apply. A column with one value asks nothing, the category included.
    """
    seen = collections.OrderedDict()
    for product in products:
        for name, value in _columns(product).items():
            seen.setdefault(name, set()).add(value)
    return {name: tuple(sorted(values)) for name, values in seen.items()
            if len(values) > 1 and (name == 'category' or len(values) <= _MOST)}


def encode(products, heads):
    """{name: int32 [n]}: which of the head's values each product has, UNKNOWN for another one."""
    rows = [_columns(product) for product in products]
    labels = {}
    for name, values in heads.items():
        number = {value: index for index, value in enumerate(values)}
        labels[name] = np.array([number.get(row.get(name), UNKNOWN) for row in rows], np.int32)
    return labels


def split(keys, shares, seed):
    """Indices of the products in len(shares) + 1 parts, int arrays in order; the rest comes first.

    keys: what tells products apart; equal keys stay in one part, so that a part is new to the
    others. shares: of the distinct keys, for every part but the first.
    """
    distinct = list(dict.fromkeys(keys))
    order = np.random.RandomState([seed, 41]).permutation(len(distinct))
    ends = np.cumsum([int(np.ceil(share * len(distinct))) for share in shares])
    part = {distinct[index]: int(np.searchsorted(ends, place, side='right'))
            for place, index in enumerate(order)}
    parts = np.array([part[key] for key in keys])
    return [np.flatnonzero(parts == number) for number in [len(shares)] + list(range(len(shares)))]


def class_weights(labels, count):
    """The weight of each of `count` values that makes all values that occur weigh the same.

    labels: int [n]. float32 [count]; on average over the labels the weights are 1.
    """
    counts = np.bincount(labels[labels >= 0], minlength=count)
    weights = counts.sum() / np.maximum(counts, 1) / max(1, np.count_nonzero(counts))
    return np.where(counts > 0, weights, 0).astype(np.float32)


def confusion(truth, guesses, count):
    """int [count, count]: how often a value (row) was taken for which (column); UNKNOWN left out.

    truth, guesses: int [n].
    """
    truth, guesses = np.asarray(truth), np.asarray(guesses)
    known = truth >= 0
    return np.bincount(truth[known] * count + guesses[known],
                       minlength=count * count).reshape(count, count)


def scores(matrix):
    """Precision, recall, F1 and support of each value from a confusion matrix: float [count] each.

    A value that was never guessed has precision 0; one that never occurred counts in no mean.
    """
    right, support, guessed = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    precision, recall = right / np.maximum(guessed, 1), right / np.maximum(support, 1)
    f1 = 2 * right / np.maximum(support + guessed, 1)
    return {'precision': precision, 'recall': recall, 'f1': f1, 'support': support}


def macro_f1(matrix):
    """Mean F1 of the values that occur: rare ones count as much as frequent ones."""
    result = scores(matrix)
    occurs = result['support'] > 0
    return float(result['f1'][occurs].mean()) if occurs.any() else 0.0


def evaluate(probabilities, labels, heads):
    """How well guesses fit -> {head: figures}, JSON-able.

    probabilities: {head: float [n, values]}; labels: {head: int [n]}. The figures are macro_f1,
    accuracy, calibration_error, count, the values by name with their scores, and the confusion
    matrix as lists.
    """
    report = {}
    for name, values in heads.items():
        truth, guesses = labels[name], probabilities[name].argmax(1)
        matrix = confusion(truth, guesses, len(values))
        each = scores(matrix)
        report[name] = {
            'macro_f1': macro_f1(matrix), 'count': int(matrix.sum()),
            'accuracy': float(np.trace(matrix) / max(1, matrix.sum())),
            'calibration_error': calibration.error(probabilities[name], truth),
            'values': {value: {key: float(each[key][index]) for key in each}
                       for index, value in enumerate(values)},
            'confusion': matrix.tolist()}
    return report


def shown(value):
    """A value as a table shows it: '' is what does not apply."""
    return value or '(none)'


def confusion_table(matrix, values):
    """A confusion matrix as text: a row per true value, a column per guess, recall at the end."""
    matrix, names = np.asarray(matrix), [shown(value) for value in values]
    width = max([len(name) for name in names] + [5])
    wide = max([len(str(int(np.max(matrix))))] + [min(len(name), 10) for name in names]) + 1
    lines = ['%-*s%s recall' % (width, 'truth', ''.join('%*.*s' % (wide, wide - 1, name)
                                                        for name in names))]
    for index, name in enumerate(names):
        row = matrix[index]
        share = f'{100 * row[index] / row.sum():5.1f} %' if np.sum(row) else '      -'
        lines.append('%-*s%s %s' % (width, name, ''.join('%*d' % (wide, cell) for cell in row),
                                    share))
    return '\n'.join(lines)


def table(report):
    """The figures of `evaluate` as text: a line per head, and under it its values when asked."""
    lines = ['%-12s %8s %9s %12s %7s' % ('', 'macro-F1', 'accuracy', 'calib. error', 'count')]
    for name, figures in report.items():
        lines.append('%-12s %8.3f %9.3f %12.3f %7d' % (
            name, figures['macro_f1'], figures['accuracy'], figures['calibration_error'],
            figures['count']))
    return '\n'.join(lines)


def values_table(figures):
    """Precision, recall, F1 and support of every value of one head, as text."""
    width = max(len(shown(value)) for value in figures['values'])
    lines = ['%-*s %9s %7s %7s %7s' % (width, '', 'precision', 'recall', 'F1', 'support')]
    for value, each in figures['values'].items():
        lines.append('%-*s %9.3f %7.3f %7.3f %7d' % (
            width, shown(value), each['precision'], each['recall'], each['f1'], each['support']))
    return '\n'.join(lines)
