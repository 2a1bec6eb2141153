"""Linear models of w: classification and regression of labels, principal axes, edit directions.

Everything is computed in float64. A model of labels is a pair (normal [w], bias) whose score
`w @ normal + bias` is high if the property is present. The normal separates images with the
property from those without it; the direction that changes an image is a `step`.
"""

import numpy as np

SHRINK = 0.1  # fraction of the mean variance added to the diagonal of a covariance


def unit(vector):
    """vector [..., w] scaled to length 1."""
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    assert np.all(length > 0), 'a direction of no length'
    return np.asarray(vector, np.float64) / length


def shrunk(covariance, shrink=SHRINK):
    """A covariance [w, w] plus `shrink` times its mean variance on the diagonal.

    The smallest variances are underestimated from few samples; shrinkage makes the inverse stable.
    """
    size = len(covariance)
    return covariance + shrink * np.trace(covariance) / size * np.eye(size)


def lda(w, positive, shrink=SHRINK):
    """Linear discriminant analysis -> (normal [w], bias): the log odds at equal class priors.

    w: [n, w]. positive: bool [n], both values present. Two Gaussians with one common covariance S
    are best separated along S^-1 (mu+ - mu-) (Fisher 1936); S is `shrunk`.
    """
    w, positive = np.asarray(w, np.float64), np.asarray(positive, bool)
    sides = w[positive], w[~positive]
    assert all(len(side) for side in sides), 'lda needs both classes'
    above, below = [side.mean(0) for side in sides]
    within = np.concatenate([sides[0] - above, sides[1] - below])
    vector = np.linalg.solve(shrunk(within.T @ within / len(w), shrink), above - below)
    return vector, -float(vector @ (above + below)) / 2


def _scaled(w):
    """w [n, w] standardised per axis, with a column of ones -> (x, mean, deviation)."""
    w = np.asarray(w, np.float64)
    mean, deviation = w.mean(0), w.std(0)
    deviation = np.where(deviation > 0, deviation, 1)
    return np.concatenate([(w - mean) / deviation, np.ones([len(w), 1])], 1), mean, deviation


def _unscaled(solution, mean, deviation):
    vector = solution[:-1] / deviation
    return vector, float(solution[-1] - vector @ mean)


def _log_loss(logits, y):
    """Sum of log(1 + exp(-logits)) where y is 1, and of log(1 + exp(logits)) where it is 0."""
    return float(np.sum(np.logaddexp(0, logits) - y * logits))


def _newton_step(x, y, solution, penalty):
    p = 1 / (1 + np.exp(-np.clip(x @ solution, -35, 35)))
    gradient = x.T @ (p - y) + penalty * solution
    return np.linalg.solve((x * (p * (1 - p))[:, np.newaxis]).T @ x + np.diag(penalty), gradient)


def logistic(w, y, weight=1.0, steps=30):
    """Logistic regression -> (normal [w], bias): the log odds that y is 1.

    w: [n, w]; y: 0 or 1 [n], both present. Minimises the summed log loss + weight / 2 |n|^2, n the
    coefficients of standardised w; the bias is not penalised. Newton's method with step halving.
    """
    x, mean, deviation = _scaled(w)
    y = np.asarray(y, np.float64)
    assert 0 < y.mean() < 1, 'logistic needs both classes'
    penalty = np.full(x.shape[1], float(weight))
    penalty[-1] = 1e-9

    def loss(solution):
        return _log_loss(x @ solution, y) + 0.5 * float(penalty @ np.square(solution))
    solution = np.zeros(x.shape[1])
    solution[-1] = np.log(y.mean() / (1 - y.mean()))
    now = loss(solution)
    for _ in range(steps):
        step = _newton_step(x, y, solution, penalty)
        rate = 1.0
        while loss(solution - rate * step) > now and rate > 1e-6:
            rate /= 2
        solution, before = solution - rate * step, now
        now = loss(solution)
        if before - now < 1e-9 * max(1.0, now):
            break
    return _unscaled(solution, mean, deviation)


def ridge(w, y, weight=1.0):
    """Ridge regression -> (normal [w], bias), the estimate of y.

    w: [n, w]; y: float [n]. Minimises |error|^2 + weight |n|^2, as in `logistic`.
    """
    x, mean, deviation = _scaled(w)
    penalty = np.full(x.shape[1], float(weight))
    penalty[-1] = 0
    y = np.asarray(y, np.float64)
    return _unscaled(np.linalg.solve(x.T @ x + np.diag(penalty), x.T @ y), mean, deviation)


def auc(scores, y):
    """Area under the ROC curve: 0.5 is chance, 1 is perfect.

    scores: [n]; y: bool [n], both present. From ranks (Mann and Whitney 1947), ties count half.
    """
    y = np.asarray(y, bool)
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse.reshape(-1)]
    above, below = int(y.sum()), int((~y).sum())
    assert above and below, 'auc needs both classes'
    return float((ranks[y].sum() - above * (above + 1) / 2) / (above * below))


def _signed(vectors):
    """Fix the signs of eigenvectors (rows): the largest component of each is positive."""
    rows = np.arange(len(vectors))
    return vectors * np.sign(vectors[rows, np.abs(vectors).argmax(1)])[:, np.newaxis]


def _eigen(symmetric):
    """(unit eigenvectors as rows, eigenvalues), largest first; `eigh` has the smallest first."""
    values, vectors = np.linalg.eigh(symmetric)
    return _signed(vectors.T[::-1]), values[::-1]


def covariance(w):
    """The covariance [w, w] of w [n, w]."""
    centred = np.asarray(w, np.float64) - np.mean(w, 0, dtype=np.float64)
    return centred.T @ centred / len(centred)


def pca(w):
    """Principal axes of w [n, w] -> (unit rows [w, w], variances [w]), largest first.

    Harkonen et al. 2020 ("GANSpace").
    """
    return _eigen(covariance(w))


def sefa(matrices):
    """Axes of w that change styles most -> (unit rows [w, w], eigenvalues [w]), largest first.

    matrices: style matrices [w, channels] of the layers to edit. Shen and Zhou 2020 ("SeFa"):
    eigenvectors of A A', with each channel (column of A) normalised, so that the scale of a layer
    does not matter.
    """
    columns = np.concatenate([np.asarray(matrix, np.float64) for matrix in matrices], 1)
    length = np.linalg.norm(columns, axis=0)
    columns = columns / np.where(length > 0, length, 1)
    return _eigen(columns @ columns.T)


def orthogonal(direction, others):
    """The component of direction [w] orthogonal to all of others [k, w], scaled to length 1.

    Moving along it keeps their scores (Gram-Schmidt; Shen et al. 2020, "InterFaceGAN", section
    3.3: conditional manipulation). others may be empty, or linearly dependent.
    """
    direction = unit(direction)
    others = np.reshape(np.asarray(others, np.float64), [-1, len(direction)])
    if not len(others):
        return direction
    _, sizes, axes = np.linalg.svd(unit(others), full_matrices=False)
    axes = axes[sizes > 1e-9 * sizes[0]]
    return unit(direction - axes.T @ (axes @ direction))


def step(normal, covariance, others=()):
    """The direction in which to move w to change the score of a normal [w] -> unit vector [w].

    covariance: covariance [w, w] of w. A normal has large components along axes of little variance,
    where images hardly change; the shortest path in standard deviations is covariance @ normal
    (Haufe et al. 2014, "On the interpretation of weight vectors", theorem 1).
    others: normals [k, w] whose scores are kept, by Gram-Schmidt in whitened space.
    """
    root = np.linalg.cholesky(shrunk(covariance, 1e-6))
    return unit(root @ orthogonal(normal @ root, [other @ root for other in others]))


def scale(w, direction):
    """Standard deviation of w [n, w] along a unit direction [w]: one unit of strength."""
    return float(np.std(np.asarray(w, np.float64) @ direction))
