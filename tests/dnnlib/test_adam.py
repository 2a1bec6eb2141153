"""Adam in numpy against the formulas of the paper, and against TensorFlow's."""

import numpy as np
import pytest

from dnnlib import tflib
from dnnlib.adam import Adam
from dnnlib.tflib import tf


def test_it_takes_the_steps_of_tensorflow():
    rng = np.random.RandomState([1])
    arrays = [rng.standard_normal(shape).astype(np.float32) for shape in ([3, 4], [5])]
    gradients = [[rng.standard_normal(array.shape).astype(np.float32) for array in arrays]
                 for _ in range(4)]
    with tf.Graph().as_default(), tflib.session(1) as sess:
        variables = [tf.Variable(array) for array in arrays]
        fed = [tf.placeholder(tf.float32, array.shape) for array in arrays]
        rate = tf.placeholder(tf.float32, [])
        step = tf.train.AdamOptimizer(rate, beta2=0.99).apply_gradients(zip(fed, variables))
        sess.run(tf.global_variables_initializer())
        adam = Adam(arrays, beta2=0.99)
        for number, each in enumerate(gradients):
            sess.run(step, dict(zip([*fed, rate], [*each, 0.1 / (1 + number)])))
            arrays = adam.step(arrays, each, 0.1 / (1 + number))
        for ours, theirs in zip(arrays, sess.run(variables)):
            assert ours.dtype == np.float32
            assert ours == pytest.approx(theirs, abs=1e-5)
