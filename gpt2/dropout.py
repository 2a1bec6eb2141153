"""Dropout (Srivastava et al. 2014) whose masks are a function of a seed and a place alone.

A mask is no state of the session: it is drawn anew from the seed of its update and the name of the
scope that it lies in. So a training that was stopped goes on with the masks that it would have
had, and a layer that is computed a second time gets the same ones again.
"""

import zlib

import numpy as np

from dnnlib.tflib import tf


def seed_of(seed, step, part):
    """int32 [2]: what decides the masks of one part of one update; all arguments are ints."""
    numbers = np.random.RandomState([seed, step, part, 1])  # the windows' are those of [seed, step]
    return numbers.randint(2 ** 31 - 1, size=2).astype(np.int32)


class Dropout:
    """Sets a share of numbers to 0 and makes the others so much larger that the mean stays.

    rate: the share, in [0, 1); at 0 nothing is touched.
    seed: int32 [2] tensor, see `seed_of`.
    """

    def __init__(self, rate, seed):
        assert 0 <= rate < 1, rate
        self._rate, self._seed = rate, seed

    def __call__(self, x, name):
        """x float32, with dropout; `name` tells apart the places within one variable scope."""
        if self._rate == 0:
            return x
        place = zlib.crc32(f'{tf.get_variable_scope().name}/{name}'.encode()) >> 1
        with tf.control_dependencies([x]):  # so a second x has a second mask: none is kept for it
            seed = tf.bitwise.bitwise_xor(self._seed, tf.constant([place, 0], tf.int32))
            kept = tf.random.stateless_uniform(tf.shape(x), seed) >= self._rate
        return x * (tf.cast(kept, tf.float32) / (1 - self._rate))
