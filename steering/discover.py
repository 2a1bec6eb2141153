"""Finding directions: unsupervised from weights and sampled w, supervised from a classifier.

Every supervised direction is cross-validated: the sample is split into FOLDS, each fold is scored
by a direction fitted to the others, and the AUC is that of all these held-out scores.
"""

import dataclasses

import numpy as np

from dnnlib import progress
from dnnlib.files import UserError
from dnnlib.knobs import check, knob, seed_knob
from steering.directions import Direction
from stylegan import latent, linear
from stylegan.labelled import truncated

FOLDS = 4
_METHODS = {'lda': linear.lda, 'logistic': linear.logistic}


@dataclasses.dataclass(frozen=True)
class Discovery:
    """Which directions to find, and from how many images."""
    count: int = knob(4000, 'images to generate and tag', least=2 * FOLDS)
    psi: float = knob(1.0, 'their truncation, in all layers; 1: none')
    seed: int = seed_knob('the first of their seeds')
    method: str = knob('lda', 'lda, logistic, or best: the one with the higher held-out AUC',
                       choices=('lda', 'logistic', 'best'))
    fewest: int = knob(40, 'images needed with and without a value to fit its direction', least=2)
    components: int = knob(6, 'unsupervised directions: principal components, and SeFa '
                           'directions per band of layers', least=1)
    ordered: str = knob('length=mini<knee-length<midi<maxi;sleeve=sleeveless<cap sleeves<'
                        'short sleeves<long sleeves', 'ordinal attributes: '
                        'each also gets a direction from less to more')
    probes: int = knob(24, 'images that each direction is measured on', least=1)
    threads: int = knob(0, 'CPU threads; 0 takes all, 1 makes the bytes repeatable', least=0)

    def __post_init__(self):
        check(self)
        orders(self.ordered)


def orders(text):
    """'length=mini<midi;size=small<large' -> {'length': ['mini', 'midi'], ...}. UserError."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(';'))):
        head, equals, values = part.partition('=')
        found[head.strip()] = [value.strip() for value in values.split('<')]
        if not equals or len(found[head.strip()]) < 2:
            raise UserError(f"--ordered '{part}' is not of the form length=mini<midi<maxi")
    return found


def find(generator, sample, hand_labels, config):
    """All directions: unsupervised, from a LabelledSample, and from hand labels.

    A direction from hand labels replaces another of the same name.
    """
    found = (unsupervised(generator, sample.w, config.components) + supervised(sample, config)
             + from_hand_labels(generator, hand_labels, config))
    return list({direction.name: direction for direction in found}.values())


def unsupervised(generator, w, components):
    """PCA directions of w [n, w] for all layers, and SeFa directions for each band of layers."""
    found = [(f'pca{index}', axis, 'all', 'pca')
             for index, axis in enumerate(linear.pca(w)[0][:components])]
    for band, layers in latent.bands(generator.layers).items():
        axes = linear.sefa([generator.style_matrices[layer] for layer in layers])[0]
        found += [(f'sefa-{band}{index}', axis, band, 'sefa')
                  for index, axis in enumerate(axes[:components])]
    return [Direction(name, np.float32(axis), linear.scale(w, axis), band, kind, float('nan'),
                      np.float32(axis), -float(w.mean(0) @ axis))
            for name, axis, band, kind in found]


def _folds(y):
    """The fold of each sample, [n], stratified by y; deterministic."""
    order = np.random.RandomState([len(y), 51]).permutation(len(y))
    order = order[np.argsort(y[order], kind='stable')]
    folds = np.zeros(len(y), int)
    folds[order] = np.arange(len(y)) % FOLDS
    return folds


def held_out_scores(fit, w, y):
    """Scores [n] of w [n, w], each by a direction fitted without its fold.

    fit: function (w, y) -> (normal, bias), of `linear`.
    """
    folds, scores = _folds(y), np.zeros(len(w))
    for fold in range(FOLDS):
        normal, bias = fit(w[folds != fold], y[folds != fold])
        scores[folds == fold] = w[folds == fold] @ normal + bias
    return scores


def _direction(name, solution, w, kind, auc):
    normal, bias = solution
    vector = linear.step(normal, linear.covariance(w))
    return Direction(name, np.float32(vector), linear.scale(w, vector), 'all', kind, auc,
                     np.float32(normal), bias)


def binary(name, w, y, method='best'):
    """The Direction that separates y, bool [n], in w [n, w]; both classes need two samples."""
    tried = _METHODS if method == 'best' else {method: _METHODS[method]}
    aucs = {kind: linear.auc(held_out_scores(fit, w, y), y) for kind, fit in tried.items()}
    kind = max(aucs, key=aucs.get)
    return _direction(name, _METHODS[kind](w, y), w, kind, aucs[kind])


def ordinal(name, w, y):
    """The Direction of increasing y, float [n], by ridge regression.

    Its AUC is the mean over all thresholds of y.
    """
    scores = held_out_scores(linear.ridge, w, y)
    thresholds = np.unique(y)[1:]
    auc = float(np.mean([linear.auc(scores, y >= threshold) for threshold in thresholds]))
    return _direction(name, linear.ridge(w, y), w, 'ridge', auc)


def check_hand_labels(labels):
    """Refuse hand labels, see `from_hand_labels`, that are too few for a direction."""
    for name, rows in labels.items():
        yes = sum(positive for _, _, positive in rows)
        if min(yes, len(rows) - yes) < 2 * FOLDS:
            raise UserError(f"'{name}' has {yes} yes and {len(rows) - yes} no; label {2 * FOLDS} "
                            'of each or more')


def from_hand_labels(generator, labels, config):
    """Directions from hand labels {name: list of (seed, psi or None, bool)}."""
    found = []
    for name, rows in labels.items():
        y = np.array([positive for _, _, positive in rows])
        w = generator.w(generator.seeded([seed for seed, _, _ in rows]))
        psis = np.array([config.psi if psi is None else psi for _, psi, _ in rows], np.float32)
        w = truncated(generator, w, psis[:, np.newaxis])
        found.append(binary(name, w, y, config.method))
    return found


def supervised(sample, config):
    """Directions of the frequent values of visible heads, and of ordinal attributes.

    The negatives of a value are images that could plausibly show it, so that a direction of sleeves
    does not also separate trousers from dresses.
    """
    found, known = [], orders(config.ordered)
    for head in progress.bar(sample.visible(), what='fitting', unit='head', leave=False):
        values = sample.values[head]
        for index, value in enumerate(sample.heads[head]):
            chosen = (values == index) | sample.plausible(head, index)
            y = values[chosen] == index
            if value and min(y.sum(), (~y).sum()) >= config.fewest:
                found.append(binary(f'{head}={value}', sample.w[chosen], y, config.method))
        order = [value for value in known.get(head, []) if value in sample.heads[head]]
        ranks = _ranks(sample, head, order, config.fewest)
        if (ranks >= 0).sum() and len(set(ranks[ranks >= 0])) > 1:
            y = ranks[ranks >= 0].astype(np.float64)
            found.append(ordinal(head, sample.w[ranks >= 0], y))
    return found


def _ranks(sample, head, order, fewest):
    """The rank of each image's value in an order; -1: another value, or one that is too rare."""
    result = np.full(len(sample), -1)
    for rank, value in enumerate(order):
        shows = sample.values[head] == sample.heads[head].index(value)
        if shows.sum() >= fewest:
            result[shows] = rank
    return result
