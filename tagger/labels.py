"""Labels: a catalogue's attributes as class indices, and the metrics of predictions.

A head is one attribute that is classified, such as category or colour, with all of its values.
Labels and metrics are the same for the taggers of pictures and of texts.
"""

import collections

import numpy as np

from tagger import calibration

_MOST = 40  # values of an attribute; a column of more is free text
UNKNOWN = -1  # the label of a value that a head does not have; it is ignored


def _columns(product):
    """{head: value} of one product, the category first."""
    return dict([('category', product.category)] + list(product.attributes))


def heads_of(products):
    """{name: (value, ...)}: the category, and every attribute column with 2 to 40 values.

    products: catalog.source.Product. Values are sorted; '' is one of them where it occurs: the
    attribute does not apply. A column with a single value is left out, the category included.
    """
    found = collections.OrderedDict()
    for product in products:
        for name, value in _columns(product).items():
            found.setdefault(name, set()).add(value)
    return {name: tuple(sorted(values)) for name, values in found.items()
            if len(values) > 1 and (name == 'category' or len(values) <= _MOST)}


def read_heads(about):
    """The heads in the `about` of a tagger's file. Raises ValueError if these are none."""
    heads = {str(name): tuple(map(str, values)) for name, values in about['heads']}
    if not 0 < len(heads) <= 1000 or not all(heads.values()):
        raise ValueError('it has no heads, too many, or one without values')
    if any(len(set(values)) != len(values) for values in heads.values()):
        raise ValueError('a head has a value twice')
    return heads


def encode(products, heads):
    """{name: int32 [n]}: index of each product's value in its head, UNKNOWN for another one."""
    rows = [_columns(product) for product in products]
    labels = {}
    for name, values in heads.items():
        number = {value: index for index, value in enumerate(values)}
        labels[name] = np.array([number.get(row.get(name), UNKNOWN) for row in rows], np.int32)
    return labels


def split(keys, fractions, seed):
    """Indices of the products in len(fractions) + 1 parts, int arrays; the rest comes first.

    keys: of the products; equal keys, variants of one product, stay in one part. fractions: of the
    distinct keys, for every part but the first.
    """
    distinct = list(dict.fromkeys(keys))
    order = np.random.RandomState([seed, 41]).permutation(len(distinct))
    ends = np.cumsum([int(np.ceil(fraction * len(distinct))) for fraction in fractions])
    part = {distinct[index]: int(np.searchsorted(ends, place, side='right'))
            for place, index in enumerate(order)}
    parts = np.array([part[key] for key in keys])
    return [np.flatnonzero(parts == number) for number in [len(fractions), *range(len(fractions))]]


def class_weights(labels, count):
    """Class weights inversely proportional to frequency: float32 [count], with mean 1 over labels.

    labels: int [n]. count: of the values; those that do not occur have weight 0.
    """
    counts = np.bincount(labels[labels >= 0], minlength=count)
    weights = counts.sum() / np.maximum(counts, 1) / max(1, np.count_nonzero(counts))
    return np.where(counts > 0, weights, 0).astype(np.float32)


def confusion(truth, predicted, count):
    """The confusion matrix, int [count, count]: a row per true value, a column per predicted one.

    truth, predicted: int [n]; UNKNOWN is left out.
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    known = truth >= 0
    return np.bincount(truth[known] * count + predicted[known],
                       minlength=count * count).reshape(count, count)


def scores(matrix):
    """Precision, recall, F1 and support of each value from a confusion matrix: float [count] each.

    A value that was never predicted has precision 0; one that never occurs counts in no mean.
    """
    correct, support, predicted = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    precision, recall = correct / np.maximum(predicted, 1), correct / np.maximum(support, 1)
    f1 = 2 * correct / np.maximum(support + predicted, 1)
    return {'precision': precision, 'recall': recall, 'f1': f1, 'support': support}


def macro_f1(matrix):
    """Mean F1 of the values that occur, each with the same weight."""
    result = scores(matrix)
    occurs = result['support'] > 0
    return float(result['f1'][occurs].mean()) if occurs.any() else 0.0


def evaluate(probabilities, labels, heads):
    """Metrics of predictions: {head: figures}, JSON-able.

    probabilities: {head: float [n, values]}; labels: {head: int [n]}. The figures are macro_f1,
    accuracy, calibration_error, count, the values by name with their scores, and the confusion
    matrix as lists.
    """
    report = {}
    for name, values in heads.items():
        truth, predicted = labels[name], probabilities[name].argmax(1)
        matrix = confusion(truth, predicted, len(values))
        each = scores(matrix)
        report[name] = {
            'macro_f1': macro_f1(matrix), 'count': int(matrix.sum()),
            'accuracy': float(np.trace(matrix) / max(1, matrix.sum())),
            'calibration_error': calibration.expected_error(probabilities[name], truth),
            'values': {value: {key: float(each[key][index]) for key in each}
                       for index, value in enumerate(values)},
            'confusion': matrix.tolist()}
    return report


def shown(value):
    """A value as tables show it; '' does not apply."""
    return value or '(none)'


def confusion_table(matrix, values):
    """A confusion matrix as text: a row per true value, a column per prediction, and recall."""
    matrix, names = np.asarray(matrix), [shown(value) for value in values]
    width = max([len(name) for name in names] + [5])
    wide = max([len(str(int(np.max(matrix))))] + [min(len(name), 10) for name in names]) + 1
    columns = ''.join(f'{name[:wide - 1]:>{wide}}' for name in names)
    lines = [f"{'truth':{width}}{columns} recall"]
    for index, name in enumerate(names):
        row = matrix[index]
        cells = ''.join(f'{cell:{wide}d}' for cell in row)
        recall = f'{100 * row[index] / row.sum():5.1f} %' if np.sum(row) else '      -'
        lines.append(f'{name:{width}}{cells} {recall}')
    return '\n'.join(lines)


def table(report):
    """The figures of `evaluate` as text: a line per head."""
    lines = [f"{'':12} macro-F1  accuracy calib. error   count"]
    for name, figures in report.items():
        lines.append(f"{name:12} {figures['macro_f1']:8.3f} {figures['accuracy']:9.3f} "
                     f"{figures['calibration_error']:12.3f} {figures['count']:7d}")
    return '\n'.join(lines)


def values_table(figures):
    """Precision, recall, F1 and support of every value of one head, as text."""
    width = max(len(shown(value)) for value in figures['values'])
    lines = [f"{'':{width}} precision  recall      F1 support"]
    for value, row in figures['values'].items():
        lines.append(f"{shown(value):{width}} {row['precision']:9.3f} {row['recall']:7.3f} "
                     f"{row['f1']:7.3f} {row['support']:7.0f}")
    return '\n'.join(lines)
