"""The analysis of an experiment of `evaluate`: a table, a chart and a one-sentence conclusion.

Differences are between means over the seeds; their 95 % intervals come from a paired bootstrap
(Efron 1979) over test photos and seeds, with the same resamples for all arms. The p values of the
arms against `real` are adjusted for the number of arms, those of the conclusion for the number of
counts (Holm 1979).
"""

import itertools

import numpy as np

from dnnlib import chart, progress
from rare.experiment import ARMS, BASELINES
from tagger import metrics

TREATMENT = 'filtered'  # the arm that the conclusion is about
_ALPHA = 0.05  # significance level
_SHOWN = 12  # other classes in the report
_TINY = 1e-12


def resampled(items, seeds, count, seed):
    """Bootstrap samples -> (weights float32 [count, items], shares float32 [count, seeds]).

    weights: how often each test item was drawn; shares: the fraction of draws of each training
    seed. Both are drawn with replacement. The first sample is the original data.
    """
    rng = np.random.RandomState([seed, 71])
    weights = np.ones([count, items], np.float32)
    shares = np.full([count, seeds], 1 / seeds, np.float32)
    for row in range(1, count):
        weights[row] = np.bincount(rng.randint(items, size=items), minlength=items)
        shares[row] = np.bincount(rng.randint(seeds, size=seeds), minlength=seeds) / seeds
    return weights, shares


def precision_recall_f1(predicted, truth, weights):
    """predicted bool [n, k], truth bool [n], weights [b, n] -> precision, recall, F1: [b, k]."""
    predicted, truth = np.float32(predicted), np.float32(truth)[:, np.newaxis]
    hits, found = weights @ (predicted * truth), weights @ predicted
    there = weights @ truth
    return hits / np.maximum(found, _TINY), hits / np.maximum(there, _TINY), (
        2 * hits / np.maximum(found + there, _TINY))


def average_precision(scores, truth, weights=None):
    """Area under the precision-recall curve, [b]: the mean precision at each positive.

    scores [n], truth bool [n], weights [b, n] or None for equal weights, b = 1. Items of equal
    score share a threshold. Nothing is interpolated (Davis and Goadrich 2006, section 3); 0
    without positives.
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


def bootstrap_difference(ours, theirs):
    """Two figures over the same bootstrap samples [b] -> (difference, low, high, p).

    difference: of the first sample, the original data; low, high: percentile interval of 95 %; p:
    two-sided bootstrap p value of no difference.
    """
    differences = ours - theirs
    drawn = differences[1:]
    low, high = np.percentile(drawn, [2.5, 97.5])
    tail = min((drawn <= 0).sum(), (drawn >= 0).sum())
    return (float(differences[0]), float(low), float(high),
            float(min(1.0, 2 * (tail + 1) / (len(drawn) + 1))))


def holm(ps):
    """Holm's adjusted p values (1979), in the same order: a list of floats."""
    order, adjusted, highest = np.argsort(ps, kind='stable'), [0.0] * len(ps), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = highest
    return adjusted


class Figures:
    """Scores of all arms of an experiment, with bootstrap samples.

    results: {(arm, count, seed): probabilities}, as `Experiment.run` returns them. truth: int
    [tests]. classes: their names. rare: the index of the class. bootstrap, seed: number of
    bootstrap samples, and their seed.
    """

    def __init__(self, results, truth, classes, rare, bootstrap, seed=0):
        self.counts = sorted({count for _, count, _ in results})
        self.seeds = sorted({number for _, _, number in results})
        self.classes, self.rare = tuple(classes), rare
        self._results, self._truth = results, np.asarray(truth)
        self._weights, self._shares = resampled(
            len(self._truth), len(self.seeds), bootstrap, seed)
        self._samples = {each: self._sampled(*each) for each in progress.bar(
            list(itertools.product(ARMS, self.counts)), what='bootstrap', unit='arm', leave=False)}

    def _test(self, name, count):
        """Predicted probabilities of the test photos, [seeds, tests, classes]."""
        return np.stack([self._results[name, count, seed] for seed in self.seeds])

    def _sampled(self, name, count):
        """{'f1', 'auprc': [bootstrap]}, means over the seeds, of the rare class."""
        probabilities, truth = self._test(name, count), self._truth == self.rare
        f1 = precision_recall_f1(
            (probabilities.argmax(2) == self.rare).T, truth, self._weights)[2]
        auprc = np.stack([average_precision(each[:, self.rare], truth, self._weights)
                          for each in probabilities], 1)
        return {'f1': (f1 * self._shares).sum(1), 'auprc': (auprc * self._shares).sum(1)}

    def difference(self, ours, theirs, count, figure='f1'):
        """(difference, low, high, p) of an arm against another."""
        return bootstrap_difference(self._samples[ours, count][figure],
                                    self._samples[theirs, count][figure])

    def samples(self, name, count):
        """F1 of the rare class in each bootstrap sample, [bootstrap]; the first is the data."""
        return self._samples[name, count]['f1']

    def row(self, name, count):
        """Mean scores of an arm over the seeds: of all classes, and AUPRC of the rare one."""
        each = [metrics.confusion(self._truth, predicted.argmax(1), len(self.classes))
                for predicted in self._test(name, count)]
        scores = [metrics.scores(matrix) for matrix in each]
        mean = {key: np.mean([score[key] for score in scores], 0) for key in scores[0]}
        return {'arm': name, 'count': count, 'auprc': float(self._samples[name, count]['auprc'][0]),
                'f1_by_seed': [float(score['f1'][self.rare]) for score in scores],
                'macro_f1': float(np.mean([metrics.macro_f1(m) for m in each])),
                'classes': {value: {key: float(mean[key][index]) for key in mean}
                            for index, value in enumerate(self.classes)}}

    def baseline(self, count):
        """The best arm without synthetic images, by test F1: choosing it so favours it."""
        return max(BASELINES, key=lambda name: self._samples[name, count]['f1'][0])


def summary(figures, audit):
    """JSON-able: the scores of each arm and count, differences, and the conclusions ('verdicts').

    audit: as `Experiment.run` returns it.
    """
    rows = [figures.row(name, count) for count in figures.counts for name in ARMS]
    for count in figures.counts:
        ours = [row for row in rows if row['count'] == count and row['arm'] != 'real']
        for row in ours:
            for figure in ('f1', 'auprc'):
                row[figure + '_against_real'] = figures.difference(
                    row['arm'], 'real', count, figure)
        for row, p in zip(ours, holm([row['f1_against_real'][3] for row in ours])):
            row['p_holm'] = p
    baselines = [figures.baseline(count) for count in figures.counts]
    found = [figures.difference(TREATMENT, baseline, count)
             for baseline, count in zip(baselines, figures.counts)]
    verdicts = [{'count': count, 'against': baseline, 'f1': list(each[:3]), 'p_holm': p}
                for count, baseline, each, p in zip(
                    figures.counts, baselines, found, holm([f[3] for f in found]))]
    return {'class': figures.classes[figures.rare], 'arms': rows, 'verdicts': verdicts,
            'label_errors': {str(count): 1 - float(right.mean())
                             for count, right in audit.items() if len(right)}}


def table(result):
    """The scores of `summary` as text: for each count of rare photos, a line per arm."""
    name = result['class']
    lines = [f"{name:16} {'prec':>6} {'recall':>6} {'F1':>6} {'AUPRC':>6} {'macro-F1':>8}  "
             f"{'F1 against real [95 %]':26} p (Holm)"]
    for row in result['arms']:
        own, change = row['classes'][name], ''
        if row['arm'] == 'real':
            lines.append(f"{row['count']} real photos of {name}")
        else:
            difference, low, high = row['f1_against_real'][:3]
            change = f"{difference:+.3f} [{low:+.3f}, {high:+.3f}]     {row['p_holm']:.3f}"
        lines.append(f"  {row['arm']:14} {own['precision']:6.3f} {own['recall']:6.3f} "
                     f"{own['f1']:6.3f} {row['auprc']:6.3f} {row['macro_f1']:8.3f}  {change}")
    return '\n'.join(lines + ['', _others(result)])


def _others(result):
    """The cost to the other classes: their F1 by arm, with all rare photos.

    Of many classes those that the treatment changes most.
    """
    rows = [row for row in result['arms'] if row['count'] == result['arms'][-1]['count']]
    f1 = {row['arm']: {name: each['f1'] for name, each in row['classes'].items()} for row in rows}
    names = [name for name in f1['real'] if name != result['class']]
    shown = sorted(names, key=lambda name: -abs(f1[TREATMENT][name] - f1['real'][name]))[:_SHOWN]
    heading = f"F1 of the others, with all {rows[0]['count']}"
    if len(names) > _SHOWN:
        heading += (f': the {_SHOWN} of {len(names)} classes that {TREATMENT} images change most; '
                    'all are in evaluate.json')
    return '\n'.join([heading, f"  {'':14} " + ' '.join(f'{arm:>6}' for arm in f1)] + [
        f'  {metrics.shown(name)[:14]:14} ' + ' '.join(
            f'{f1[arm][name]:{max(6, len(arm))}.3f}' for arm in f1) for name in shown])


def _clause(verdict):
    difference, low, high = verdict['f1']
    text = (f"no difference shown, {difference:+.3f} [{low:+.3f}, {high:+.3f}], p = "
            f"{verdict['p_holm']:.2g} (Holm)")
    if verdict['p_holm'] < _ALPHA and low > 0:
        text = f'helps by {difference:.3f} [{low:.3f}, {high:.3f}]'
    if verdict['p_holm'] < _ALPHA and high < 0:
        text = f'hurts by {-difference:.3f} [{-high:.3f}, {-low:.3f}]'
    return f"with {verdict['count']} real photos: {text}, against {verdict['against']}"


def sentence(result):
    """The conclusion: one sentence about F1 of the rare class, the largest count first."""
    clauses = '; '.join(_clause(verdict) for verdict in reversed(result['verdicts']))
    return (f"F1 of {result['class']} with filtered synthetic images added, against the best "
            f'baseline: {clauses}.')


def report(result):
    """The printed report: the table, checks for copies and label errors, and the conclusion."""
    lines = [table(result), '']
    for name, gaps in result.get('copies', {}).items():
        lines.append(f"distance {name:18} median {gaps['median']:.2f}, least {gaps['least']:.2f} "
                     '(1: the usual distance between photos)')
    for count, share in result['label_errors'].items():
        lines.append(f'label errors with {count:>3} real photos: {100 * share:.1f} % of the '
                     'filtered images, by a classifier trained on all real photos')
    return '\n'.join(lines + ['', sentence(result), ''])


def plot(figures):
    """Chart of F1 of the rare class by the count of its real photos, uint8 [460, 800, 3].

    A line per arm; whiskers: 95 % of the bootstrap samples.
    """
    samples = {(name, count): figures.samples(name, count)
               for name in ARMS for count in figures.counts}
    positions = list(range(len(figures.counts)))
    sheet = chart.Chart([-0.5] + positions + [len(positions) - 0.5],
                        chart.ticks(0, max(1e-3, *(each.max() for each in samples.values()))),
                        f'real photos of {figures.classes[figures.rare]}; F1 on real test photos, '
                        '95 %',
                        names=[''] + [str(count) for count in figures.counts] + [''],
                        height=460, top=60)
    for number, (name, colour) in enumerate(zip(ARMS, chart.COLOURS)):
        spots = [(position + 0.05 * (number - len(ARMS) / 2), samples[name, count][0])
                 for position, count in enumerate(figures.counts)]
        sheet.line(spots, colour)
        sheet.dots(spots, colour)
        for (x, _), count in zip(spots, figures.counts):
            low, high = np.percentile(samples[name, count][1:], [2.5, 97.5])
            sheet.whisker(x, low, high, colour)
        sheet.text((chart.LEFT + 180 * (number % 4), 10 + 18 * (number // 4)), name, 0, colour)
    return sheet.picture()
