"""Codes whose distribution is known, and a class among them, for tests of the latent space."""

import numpy as np

from stylegan.whitening import from_pspace, pspace

SIZE = 6
AXIS = np.array([0.8, -0.6, 0, 0, 0, 0])
MIXING = np.random.RandomState(3).randn(SIZE, SIZE)


def codes_of(count, seed):
    """Codes of a Gaussian P space that is neither centred nor round."""
    u = np.random.RandomState(seed).randn(count, SIZE)
    return from_pspace(u @ MIXING + 1).astype(np.float32)


def latent(w):
    """The round Gaussian variables behind codes."""
    return (pspace(w) - 1) @ np.linalg.inv(MIXING)


def look(w):
    """A class that 3 % of the codes are of; its image shows a code's sixth variable."""
    u = latent(w)
    pictures = np.zeros([len(w), 4, 4, 3], np.uint8)
    pictures[:] = np.clip(u[:, 5] * 30 + 128, 0, 255)[:, None, None, None]
    return pictures, 1 / (1 + np.exp(-20 * (u @ AXIS - 1.88)))


class Generator:
    """A generator of codes as they are, and a scorer of their images in one.

    probability: function w [n, SIZE] -> float [n] to score by, that of `look` by default. Counts
    the images that it draws.
    """

    layers, latent_size, w_avg = 3, SIZE, np.zeros(SIZE, np.float32)

    def __init__(self, probability=lambda w: look(w)[1]):
        self._probability, self.drawn, self._w = probability, 0, None

    def w(self, z):
        return from_pspace(z @ MIXING + 1).astype(np.float32)

    def pictures(self, ws):
        assert ws.shape[1:] == (self.layers, SIZE)
        self._w, self.drawn = ws[:, 0], self.drawn + len(ws)
        return look(self._w)[0]

    def scores(self, pictures):
        """Those of the images that were drawn last."""
        assert len(pictures) == len(self._w)
        return self._probability(self._w)
