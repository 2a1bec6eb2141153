"""The losses against their formulas in numpy."""

import numpy as np

from dnnlib import tflib
from dnnlib.tflib import tf
from stylegan import loss

REAL, FAKE = np.array([[2.0], [-1], [30]]), np.array([[0.5], [-40], [3]])


def _softplus(x):
    return np.logaddexp(0, x)[:, 0]


def _run(tensor, feed=None):
    with tflib.session(1) as sess:
        return sess.run(tensor, feed)


def test_non_saturating_logistic_losses():
    with tf.Graph().as_default():
        real, fake = [tf.constant(x, tf.float32) for x in (REAL, FAKE)]
        g, d = _run([loss.generator(fake), loss.discriminator(real, fake)])
    np.testing.assert_allclose(g, _softplus(-FAKE), rtol=1e-6)
    np.testing.assert_allclose(d, _softplus(FAKE) + _softplus(-REAL), rtol=1e-6)


def test_r1_is_the_squared_gradient_by_each_picture():
    random = np.random.RandomState(0)
    x, w = random.randn(2, 3, 3, 3), random.randn(3, 3, 3)
    with tf.Graph().as_default():
        reals = tf.constant(x, tf.float32)
        scores = tf.reduce_sum(reals ** 3 * w, [1, 2, 3])[:, tf.newaxis]
        penalty = _run(loss.r1(scores, reals))
    np.testing.assert_allclose(penalty, ((3 * x ** 2 * w) ** 2).sum((1, 2, 3)), rtol=1e-5)


def test_r1_has_a_gradient_of_its_own():
    with tf.Graph().as_default():
        reals, a = tf.ones([2, 1, 1, 1]), tf.placeholder(tf.float32, [])
        penalty = loss.r1(tf.reshape(a * reals ** 2, [2, 1]), reals)  # (2 a)^2 each
        gradient, = tf.gradients(tf.reduce_mean(penalty), [a])
        assert _run(gradient, {a: 3.0}) == 24
