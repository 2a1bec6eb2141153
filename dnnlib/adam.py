"""Adam (Kingma & Ba 2014) for what is optimised in numpy; in a graph use tf.train.AdamOptimizer."""

import numpy as np


class Adam:
    """The moments of a list of arrays.

    beta1, beta2: decay of the first and second moment.
    """

    def __init__(self, arrays, beta1=0.9, beta2=0.999):
        self._moments = [(np.zeros_like(array), np.zeros_like(array)) for array in arrays]
        self._beta1, self._beta2, self._step = beta1, beta2, 0

    def step(self, arrays, gradients, rate):
        """The arrays after an update with this learning rate, of their own dtypes."""
        self._step += 1
        correction1, correction2 = 1 - self._beta1 ** self._step, 1 - self._beta2 ** self._step
        result = []
        for array, gradient, (first, second) in zip(arrays, gradients, self._moments):
            first += (1 - self._beta1) * (gradient - first)
            second += (1 - self._beta2) * (np.square(gradient) - second)
            change = rate * first / correction1 / (np.sqrt(second / correction2) + 1e-8)
            result.append((array - change).astype(array.dtype))
        return result
