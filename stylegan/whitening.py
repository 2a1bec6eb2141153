"""Where codes lie, and where those of a class lie among them: Gaussians and a boundary.

Everything is done on whitened codes: W before its last leaky ReLU ("P space", Zhu et al. 2020),
where codes are nearly Gaussian, turned and scaled to mean 0 and covariance 1.
"""

import numpy as np

from stylegan import linear


def pspace(w):
    """w [..., w] before the mapping network's last leaky ReLU (slope 0.2), where it is nearly
    Gaussian (Zhu et al. 2020, "Improved StyleGAN Embedding", the space P)."""
    return np.where(w < 0, 5 * w, w)


def from_pspace(v):
    """The inverse of `pspace`."""
    return np.where(v < 0, v / 5, v)


class Space:
    """Where ordinary codes lie.

    w: [n, w], codes of ordinary pictures, n well above w. Attributes: limit, the 99th percentile
    of their Mahalanobis distances: codes farther out are none that the generator has learnt from.
    """

    def __init__(self, w, percentile=99):
        v = np.asarray(pspace(w), np.float64)
        self._mean = v.mean(0)
        values, axes = np.linalg.eigh((v - self._mean).T @ (v - self._mean) / len(v))
        kept = values > 1e-9 * values[-1]
        deviations = np.sqrt(values[kept])
        self._to, self._back = axes[:, kept] / deviations, (axes[:, kept] * deviations).T
        self.size = int(kept.sum())
        self.limit = float(np.percentile(self.distances(w), percentile))

    def whitened(self, w):
        """w [n, w] -> float64 [n, size] of mean 0 and covariance 1 over ordinary codes."""
        return (pspace(w) - self._mean) @ self._to

    def codes(self, u):
        """The inverse: whitened [n, size] -> w float32 [n, w]."""
        return from_pspace(u @ self._back + self._mean).astype(np.float32)

    def distances(self, w):
        """Mahalanobis distances [n] of w [n, w] from the average code."""
        return np.linalg.norm(self.whitened(w), axis=1)


def shrinkage(x):
    """How far the covariance of x [n, d], centred, is to be drawn to 1: a share from 0 to 1.

    Ledoit and Wolf 2004, lemma 3.3, with the target known: the share at which the expected squared
    error is least. Few samples say little, so of few it is nearly 1.
    """
    covariance = x.T @ x / len(x)
    error = (np.square(np.square(x).sum(1)).sum() / len(x) - np.square(covariance).sum()) / len(x)
    return float(np.clip(error / max(np.square(covariance - np.eye(x.shape[1])).sum(), 1e-12),
                         0, 1))


def gaussian(space, found, tau=1.0):
    """The function (count, rng) -> w [count, w] that draws around the codes found [k, w].

    Its covariance is that of `found`, shrunk to the one of all ordinary codes, times tau squared.
    """
    u = space.whitened(found)
    mean, share = u.mean(0), shrinkage(u - u.mean(0))
    covariance = (1 - share) * (u - mean).T @ (u - mean) / len(u) + share * np.eye(space.size)
    values, axes = np.linalg.eigh(covariance)
    root = (axes * np.sqrt(np.maximum(values, 0))).T * tau
    return lambda count, rng: space.codes(mean + rng.standard_normal([count, space.size]) @ root)


def boundary(space, w, positive):
    """(unit vector [size], bias): whitened codes of the class lie where u @ vector + bias > 0.

    w: [n, w]; positive: bool [n], both sides present. The bias is where both sides' shares of
    wrong answers are equal.
    """
    u = space.whitened(w)
    vector = linear.unit(linear.lda(u, positive)[0])
    scores = u @ vector
    places = np.sort(scores[positive])
    wrong = [abs((places < place).mean() - (scores[~positive] >= place).mean())
             for place in places]
    return vector, -float(places[int(np.argmin(wrong))])


def shift(space, w, positive, margin=1.0):
    """The function (w [n, w], rng) -> w [n, w] that moves codes over the boundary of a class.

    w, positive: as for `boundary`. A code goes the shortest way, in Mahalanobis distance, to a
    score drawn from those that the class's own codes have, times `margin`; one that is already
    there stays. What lies at right angles to the way keeps its value.
    """
    vector, bias = boundary(space, w, positive)
    own = space.whitened(w[positive]) @ vector + bias
    own = own[own > 0]

    def moved(codes, rng):
        u = space.whitened(codes)
        missing = own[rng.randint(len(own), size=len(u))] * margin - (u @ vector + bias)
        return space.codes(u + np.maximum(missing, 0)[:, np.newaxis] * vector)
    return moved


def mixes(found, count, rng, parts=3):
    """Averages of `parts` of the codes found [k, w] each, by random shares -> w [count, w].

    The shares are Dirichlet's, uniform over all that sum to 1.
    """
    shares = rng.dirichlet(np.ones(parts), size=count)
    chosen = found[rng.randint(len(found), size=[count, parts])]
    return (shares[:, :, np.newaxis] * chosen).sum(1).astype(np.float32)
