"""A numpy generator whose images are easily read, and a tagger that reads them.

Three numbers of w decide what is shown: the first, in the coarse layers, the category; the second,
in the fine layers, the colour; the third, in the coarse ones, the size, which has an order.
"""

import numpy as np

from stylegan import latent

HEADS = {'category': ('dress', 'top'), 'colour': ('blue', 'grey', 'red'),
         'size': ('', 'small', 'medium', 'large')}
_STEP = 30  # grey levels per unit of w


class World:
    """As stylegan.generator.Generator, with 6 layers and w of 8 numbers.

    turn: how much each number has of the others; 0: they know nothing of each other.
    """

    def __init__(self, turn=0.25):
        self.res, self.layers, self.latent_size = 16, 6, 8
        self.w_avg = np.zeros(8, np.float32)
        random = np.random.RandomState([1, 91])
        self._turn = np.float32(np.eye(8) + turn * random.randn(8, 8))
        self.style_matrices = [np.float32(random.randn(8, 6)) for _ in range(6)]

    def seeded(self, seeds):
        return np.float32([np.random.RandomState(seed).randn(8) for seed in seeds])

    def w(self, z):
        return z @ self._turn

    def truncate(self, w, psi=0.7, cutoff=8):
        ws = w if w.ndim == 3 else np.repeat(w[:, np.newaxis], self.layers, 1)
        return self.w_avg + (ws - self.w_avg) * np.float32(psi)

    def pictures(self, ws):
        assert ws.shape[1:] == (6, 8) and ws.dtype == np.float32, (ws.shape, ws.dtype)
        bands = latent.bands(6)
        numbers = np.stack([ws[:, list(bands['coarse']), 0].mean(1),
                            ws[:, list(bands['fine']), 1].mean(1),
                            ws[:, list(bands['coarse']), 2].mean(1)], 1)
        grey = np.clip(np.rint(128 + _STEP * numbers), 0, 255).astype(np.uint8)
        result = np.full([len(ws), 16, 16, 3], 255, np.uint8)
        result[:, :12] = grey.repeat(4, 1)[:, :, np.newaxis, np.newaxis]
        return result


def _softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.float32(powers / powers.sum(1, keepdims=True))


def see(pictures):
    """Probabilities of HEADS, read off the images' grey levels. Tops have no size."""
    category, colour, size = (pictures[:, [1, 5, 9], 8, 0].T - 128.0) / _STEP
    colour, size = np.clip(colour, -1.2, 1.2), np.clip(size, -1.2, 1.2)
    sizes = np.stack([8 * category] + [-2 * np.square(size - at) for at in (-1.2, 0, 1.2)], 1)
    return {'category': _softmax(np.stack([-4 * category, 4 * category], 1) + 2),
            'colour': _softmax(np.stack([-2 * np.square(colour - at) for at in (-1.2, 0, 1.2)], 1)),
            'size': _softmax(sizes)}


class Tagger:
    """As tagger.image_tagger.ImageTagger."""

    heads, probabilities = HEADS, staticmethod(see)
