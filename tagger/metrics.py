"""Metrics of predictions, for both taggers, and of generated images, by two image taggers."""

import numpy as np

from tagger import calibration
from tagger.labels import UNKNOWN

_VISIBLE = ('category', 'colour', 'sleeve', 'length', 'neckline', 'pattern')  # heads to compare
_PLAIN = ('pattern', 'plain')  # what most garments are, and a poor generator draws too seldom
_WIDEST, _ERRORS = 12, 20  # values of a matrix shown whole; errors shown of a larger one


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

    A value that is never predicted has precision 0.
    """
    correct, support, predicted = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    precision, recall = correct / np.maximum(predicted, 1), correct / np.maximum(support, 1)
    f1 = 2 * correct / np.maximum(support + predicted, 1)
    return {'precision': precision, 'recall': recall, 'f1': f1, 'support': support}


def macro_f1(matrix):
    """Unweighted mean F1 of the values that occur."""
    result = scores(matrix)
    occurs = result['support'] > 0
    return float(result['f1'][occurs].mean()) if occurs.any() else 0.0


def evaluate(probabilities, labels, heads, answered=None):
    """Metrics of predictions: {head: figures}, JSON-able.

    probabilities: {head: float [n, values]}; labels: {head: int [n]}. The figures are macro_f1,
    accuracy, calibration_error, count, the values by name with their scores, and the confusion
    matrix as lists.
    answered: {head: bool [n]}, see `TextTagger.answered`. The other predictions are left out, and
    the fraction of them is the figure no_answer.
    """
    report = {}
    for name, values in heads.items():
        truth, predicted = labels[name], probabilities[name].argmax(1)
        known = np.count_nonzero(truth >= 0)
        if answered is not None:
            truth = np.where(answered[name], truth, UNKNOWN)
        matrix = confusion(truth, predicted, len(values))
        each = scores(matrix)
        report[name] = {
            'macro_f1': macro_f1(matrix), 'count': int(matrix.sum()),
            'accuracy': float(np.trace(matrix) / max(1, matrix.sum())),
            'calibration_error': calibration.expected_error(probabilities[name], truth),
            'values': {value: {key: float(each[key][index]) for key in each}
                       for index, value in enumerate(values)},
            'confusion': matrix.tolist()}
        if answered is not None:
            report[name]['no_answer'] = float(1 - matrix.sum() / max(1, known))
    return report


def shown(value):
    """A value for tables; '' means that the attribute does not apply."""
    return value or '(none)'


def confusion_text(matrix, values):
    """A confusion matrix as text: the matrix, or of one with many values the largest errors."""
    matrix, names = np.asarray(matrix), [shown(value) for value in values]
    return (_errors if len(names) > _WIDEST else _matrix)(matrix, names)


def _errors(matrix, names):
    """The most frequent pairs of true and predicted value, a line each."""
    wrong = matrix - np.diag(np.diag(matrix))
    lines = ['most frequent errors (true value, prediction, how many of that true value):']
    for flat in np.argsort(-wrong, axis=None, kind='stable')[:_ERRORS]:
        true, predicted = divmod(int(flat), len(names))
        if wrong[true, predicted]:
            lines.append(f'{names[true]}, {names[predicted]}, {wrong[true, predicted]} of '
                         f'{matrix[true].sum()}')
    return '\n'.join(lines)


def _matrix(matrix, names):
    """A row per true value, a column per prediction, and recall."""
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
    partial = any('no_answer' in figures for figures in report.values())
    lines = [f"{'':12} macro-F1  accuracy calib. error   count" + ' no answer' * partial]
    for name, figures in report.items():
        lines.append(f"{name:12} {figures['macro_f1']:8.3f} {figures['accuracy']:9.3f} "
                     f"{figures['calibration_error']:12.3f} {figures['count']:7d}"
                     + (f"{100 * figures['no_answer']:8.1f} %" if partial else ''))
    return '\n'.join(lines + ['no answer: texts that do not mention it; they count in no other '
                              'figure'] * partial)


def values_table(figures):
    """Precision, recall, F1 and support of every value of one head, as text."""
    width = max(len(shown(value)) for value in figures['values'])
    lines = [f"{'':{width}} precision  recall      F1 support"]
    for value, row in figures['values'].items():
        lines.append(f"{shown(value):{width}} {row['precision']:9.3f} {row['recall']:7.3f} "
                     f"{row['f1']:7.3f} {row['support']:7.0f}")
    return '\n'.join(lines)


def _values(tagger, pictures):
    """{head: index of the most probable value, int [n]}."""
    return {head: p.argmax(1) for head, p in tagger.probabilities(pictures).items()}


def _clear(tagger, judge, pictures):
    first, found = _values(tagger, pictures), {}
    if judge is not None and judge.heads == tagger.heads:
        second = _values(judge, pictures)
        for head in _VISIBLE:
            if head in first:
                found[f'agreement_{head}'] = float((first[head] == second[head]).mean())
        if found:
            found['agreement'] = sum(found.values()) / len(found)
    head, plain = _PLAIN
    if plain in tagger.heads.get(head, ()):
        found['plain'] = float((first[head] == tagger.heads[head].index(plain)).mean())
    return found


def fidelity(tagger, judge, fakes, reals):
    """How clear the attributes of generated images are: {name: {'value', 'floor'}}, in 0..1.

    Two taggers trained on different data agree on images whose attributes are clear; the floor is
    the same figure of real images.
    tagger, judge: image_tagger.ImageTagger; without a judge, or if its heads differ, there is no
    agreement. agreement_HEAD: how often both predict the same value; agreement: their mean; plain:
    the fraction of garments without a pattern, if the tagger has that value.
    """
    values, floors = [_clear(tagger, judge, pictures) for pictures in (fakes, reals)]
    return {name: {'value': values[name], 'floor': floors[name]} for name in values}
