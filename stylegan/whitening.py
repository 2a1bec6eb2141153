"""Whitened W: the distribution of latent codes, and the region of a class in it.

P space, which is W before the mapping network's last leaky ReLU, is nearly Gaussian (Zhu et al.
2020, "Improved StyleGAN Embedding"). Here it is whitened to mean 0 and covariance 1; Gaussians are
fitted and classes separated there.
"""

import numpy as np

from stylegan import linear


def pspace(w):
    """w [..., w] -> P space: the inverse of a leaky ReLU with slope 0.2."""
    return np.where(w < 0, 5 * w, w)


def from_pspace(v):
    """P space [..., w] -> w, the inverse of `pspace`."""
    return np.where(v < 0, v / 5, v)


class Space:
    """The whitening fitted to random codes w [n, w], n well above w.

    Attributes: size, the number of whitened dimensions; limit, the 99th percentile of the codes'
    Mahalanobis distances: the mapping network almost never produces codes farther out.
    """

    def __init__(self, w):
        v = np.asarray(pspace(w), np.float64)
        self._mean = v.mean(0)
        values, axes = np.linalg.eigh((v - self._mean).T @ (v - self._mean) / len(v))
        kept = values > 1e-9 * values[-1]
        deviations = np.sqrt(values[kept])
        self._to, self._back = axes[:, kept] / deviations, (axes[:, kept] * deviations).T
        self.size = int(kept.sum())
        self.limit = float(np.percentile(self.distances(w), 99))

    def whitened(self, w):
        """w [n, w] -> float64 [n, size], mean 0 and covariance 1 over the fitted codes."""
        return (pspace(w) - self._mean) @ self._to

    def codes(self, u):
        """The inverse: whitened [n, size] -> w float32 [n, w]."""
        return from_pspace(u @ self._back + self._mean).astype(np.float32)

    def distances(self, w):
        """Mahalanobis distances [n] of w [n, w] from the average code."""
        return np.linalg.norm(self.whitened(w), axis=1)


def shrinkage(x):
    """Ledoit-Wolf shrinkage of the covariance of centred x [n, d] towards identity, 0..1.

    The value of least expected squared error (Ledoit and Wolf 2004, lemma 3.3, target known); with
    few samples it is nearly 1.
    """
    covariance = x.T @ x / len(x)
    error = (np.square(np.square(x).sum(1)).sum() / len(x) - np.square(covariance).sum()) / len(x)
    return float(np.clip(error / max(np.square(covariance - np.eye(x.shape[1])).sum(), 1e-12),
                         0, 1))


def gaussian(space, codes, tau=1.0):
    """The Gaussian fitted to codes [k, w], as a sampler (count, rng) -> w [count, w].

    Its covariance is shrunk towards that of all random codes, and multiplied by tau squared.
    """
    u = space.whitened(codes)
    mean, weight = u.mean(0), shrinkage(u - u.mean(0))
    covariance = (1 - weight) * (u - mean).T @ (u - mean) / len(u) + weight * np.eye(space.size)
    values, axes = np.linalg.eigh(covariance)
    root = (axes * np.sqrt(np.maximum(values, 0))).T * tau
    return lambda count, rng: space.codes(mean + rng.standard_normal([count, space.size]) @ root)


def boundary(space, w, positive):
    """(unit vector [size], bias): the class is where whitened codes have u @ vector + bias > 0.

    w: [n, w]; positive: bool [n], both values present. The bias is that of equal false positive and
    false negative rates.
    """
    u = space.whitened(w)
    vector = linear.unit(linear.lda(u, positive)[0])
    scores = u @ vector
    thresholds = np.sort(scores[positive])
    gaps = [abs((thresholds < threshold).mean() - (scores[~positive] >= threshold).mean())
            for threshold in thresholds]
    return vector, -float(thresholds[int(np.argmin(gaps))])


def shift(space, w, positive, margin=1.0):
    """A function (w [n, w], rng) -> w [n, w] that moves codes across the boundary of a class.

    w, positive: as for `boundary`. Each code moves along the boundary's normal, the shortest path
    in Mahalanobis distance, to a score drawn from those of the class's own codes, times `margin`;
    a code beyond that score stays. Everything orthogonal to the normal is kept.
    """
    vector, bias = boundary(space, w, positive)
    own = space.whitened(w[positive]) @ vector + bias
    own = own[own > 0]

    def moved(codes, rng):
        u = space.whitened(codes)
        missing = own[rng.randint(len(own), size=len(u))] * margin - (u @ vector + bias)
        return space.codes(u + np.maximum(missing, 0)[:, np.newaxis] * vector)
    return moved


def mixes(codes, count, rng, parts=3):
    """Weighted means of `parts` random codes out of [k, w] -> w [count, w].

    The weights are uniform on the simplex (Dirichlet).
    """
    weights = rng.dirichlet(np.ones(parts), size=count)
    chosen = codes[rng.randint(len(codes), size=[count, parts])]
    return (weights[:, :, np.newaxis] * chosen).sum(1).astype(np.float32)
