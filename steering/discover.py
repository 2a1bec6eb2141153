"""Finding directions: without labels from weights and styles, with labels from tagged pictures.

Every labelled direction is checked on pictures that it was not learnt from: each of FOLDS parts of
the sample is scored by a direction learnt from the others, and the AUC is that of all these scores.
"""

import dataclasses

import numpy as np

from dnnlib import progress
from dnnlib.files import UserError
from dnnlib.knobs import check, knob, seed_knob
from stylegan import latent, linear
from steering.directionset import Direction
from stylegan.labelled import truncated

FOLDS = 4


@dataclasses.dataclass(frozen=True)
class Discovery:
    """What to look for, and in how many pictures."""
    count: int = knob(4000, 'pictures to generate and tag', least=1)
    psi: float = knob(1.0, 'their truncation, in all layers; 1: none')
    seed: int = seed_knob('the first of their seeds')
    method: str = knob('lda', 'lda, logistic, or best: the one with the higher held-out AUC',
                       choices=('best', 'lda', 'logistic'))
    fewest: int = knob(40, 'pictures with and without a value that a direction needs', least=1)
    components: int = knob(6, 'directions without labels: so many of PCA, and of SeFa per band',
                           least=1)
    ordered: str = knob('length=mini<knee-length<midi<maxi;sleeve=sleeveless<cap sleeves<'
                        'short sleeves<long sleeves', 'attributes whose values have an order: '
                        'each also gets a direction of more and less')
    probes: int = knob(24, 'pictures that each direction is tried on', least=1)
    threads: int = knob(0, 'CPU threads; 0 takes all, 1 makes the bytes repeatable', least=0)

    def __post_init__(self):
        check(self)


def orders(text):
    """'length=mini<midi;size=small<large' -> {'length': ['mini', 'midi'], ...}. UserError."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(';'))):
        head, equals, values = part.partition('=')
        found[head.strip()] = [value.strip() for value in values.split('<')]
        if not equals or len(found[head.strip()]) < 2:
            raise UserError(f"--ordered '{part}' is to read like length=mini<midi<maxi")
    return found


def find(generator, tagged, hand, how):
    """All directions: without labels, of a LabelledSample, and of hand labels (see `by_hand`).

    A name that is labelled by hand stands for that.
    """
    found = (without_labels(generator, tagged.w, how.components) + labelled(tagged, how)
             + by_hand(generator, hand, how))
    return list({direction.name: direction for direction in found}.values())


def without_labels(generator, w, components):
    """PCA directions of w [n, w] for all layers, and SeFa directions for each band of layers."""
    found = [('pca%d' % index, axis, 'all', 'pca')
             for index, axis in enumerate(linear.pca(w)[0][:components])]
    for band, layers in latent.bands(generator.layers).items():
        axes = linear.sefa([generator.style_matrices[layer] for layer in layers])[0]
        found += [('sefa-%s%d' % (band, index), axis, band, 'sefa')
                  for index, axis in enumerate(axes[:components])]
    return [Direction(name, np.float32(axis), linear.scale(w, axis), band, kind, float('nan'),
                      np.float32(axis), -float(w.mean(0) @ axis))
            for name, axis, band, kind in found]


def _folds(y):
    """Which fold each sample is in, [n], drawn once and for all; folds get alike shares of y."""
    order = np.random.RandomState([len(y), 51]).permutation(len(y))
    order = order[np.argsort(y[order], kind='stable')]
    folds = np.zeros(len(y), int)
    folds[order] = np.arange(len(y)) % FOLDS
    return folds


def held_out_scores(learn, w, y):
    """Scores [n] of w [n, w], each by a direction that was learnt without its fold.

    learn: function (w, y) -> (normal, bias).
    """
    folds, scores = _folds(y), np.zeros(len(w))
    for fold in range(FOLDS):
        normal, bias = learn(w[folds != fold], y[folds != fold])
        scores[folds == fold] = w[folds == fold] @ normal + bias
    return scores


_METHODS = {'lda': linear.lda, 'logistic': linear.logistic}


def _direction(name, solution, w, kind, auc):
    normal, bias = solution
    vector = linear.step(normal, linear.covariance(w))
    return Direction(name, np.float32(vector), linear.scale(w, vector), 'all', kind, auc,
                     np.float32(normal), bias)


def binary(name, w, y, method='best'):
    """The Direction that tells y, bool [n], from w [n, w]; a few of both sides are needed."""
    tried = _METHODS if method == 'best' else {method: _METHODS[method]}
    aucs = {kind: linear.auc(held_out_scores(learn, w, y), y) for kind, learn in tried.items()}
    kind = max(aucs, key=aucs.get)
    return _direction(name, _METHODS[kind](w, y), w, kind, aucs[kind])


def number(name, w, y):
    """The Direction of more of y, float [n], by ridge regression.

    Its AUC is how often, of two samples with different y, the higher score has the higher y.
    """
    scores = held_out_scores(linear.ridge, w, y)
    cuts = np.unique(y)[1:]
    auc = float(np.mean([linear.auc(scores, y >= cut) for cut in cuts]))
    return _direction(name, linear.ridge(w, y), w, 'ridge', auc)


def by_hand(generator, labels, how):
    """Directions of hand labels {name: list of (seed, psi or None, bool)}. Raises UserError."""
    found = []
    for name, rows in labels.items():
        y = np.array([positive for _, _, positive in rows])
        if min(y.sum(), (~y).sum()) < 2 * FOLDS:
            raise UserError("'%s' has %d yes and %d no; label %d of each or more" % (
                name, y.sum(), (~y).sum(), 2 * FOLDS))
        w = generator.w(generator.seeded([seed for seed, _, _ in rows]))
        psis = np.array([how.psi if psi is None else psi for _, psi, _ in rows], np.float32)
        found.append(binary(name, truncated(generator, w, psis[:, np.newaxis]), y, how.method))
    return found


def labelled(tagged, how):
    """Directions of values that enough of a LabelledSample show, and of ordered attributes.

    A value is told from what else the same products could have, so that sleeves are not a matter
    of trousers or dress.
    """
    found, known = [], orders(how.ordered)
    for head in progress.bar(list(tagged.heads), what='learning', unit='head', leave=False):
        values = tagged.values[head]
        for index, value in enumerate(tagged.heads[head]):
            chosen = (values == index) | tagged.plausible(head, index)
            y = values[chosen] == index
            if value and min(y.sum(), (~y).sum()) >= how.fewest:
                found.append(binary(f'{head}={value}', tagged.w[chosen], y, how.method))
        order = [value for value in known.get(head, []) if value in tagged.heads[head]]
        ranks = _ranks(tagged, head, order, how.fewest)
        if (ranks >= 0).sum() and len(set(ranks[ranks >= 0])) > 1:
            found.append(number(head, tagged.w[ranks >= 0], ranks[ranks >= 0].astype(np.float64)))
    return found


def _ranks(tagged, head, order, fewest):
    """The place of each picture's value in an order, -1 where it has none or a rare one."""
    result = np.full(len(tagged), -1)
    for rank, value in enumerate(order):
        shows = tagged.values[head] == tagged.heads[head].index(value)
        if shows.sum() >= fewest:
            result[shows] = rank
    return result
