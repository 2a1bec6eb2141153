"""The losses and augmentations against their formulas in numpy."""

import numpy as np
import pytest

from dnnlib import tflib
from dnnlib.tflib import tf
from stylegan import loss

SIZE = 16
RNG = np.random.RandomState([4])
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


def test_r1_is_the_squared_gradient_by_each_image():
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


# --- Augmentations.

def _pictures(n=3):
    return RNG.uniform(-1, 1, [n, SIZE, SIZE, 3])


def _augment(names, x, draws=()):
    """augment() with the numbers `draws` (one array each call) in place of random ones."""
    waiting = list(draws)

    def uniform(shape):
        value = np.float32(waiting.pop(0)).reshape([len(x)] + [1] * (len(shape) - 1))
        return tf.constant(value)
    with tf.Graph().as_default(), tflib.session(1) as sess:
        result = sess.run(loss.augment(tf.constant(x, tf.float32), names, uniform))
    assert not waiting and result.shape == x.shape
    return result


def test_no_names_change_nothing():
    x = _pictures()
    np.testing.assert_allclose(_augment('', x), x, atol=1e-7)


def test_color_is_brightness_saturation_contrast():
    x = _pictures()
    draws = RNG.rand(3, 3)
    brightness, saturation, contrast = draws[..., np.newaxis, np.newaxis, np.newaxis]
    expected = x + brightness - 0.5
    grey = expected.mean(3, keepdims=True)
    expected = grey + (expected - grey) * 2 * saturation
    mean = expected.mean((1, 2, 3), keepdims=True)
    expected = mean + (expected - mean) * (contrast + 0.5)
    np.testing.assert_allclose(_augment('color', x, draws), expected, atol=1e-5)
    np.testing.assert_allclose(_augment('color', x, [[0.5] * 3] * 3), x, atol=1e-6)  # all neutral


@pytest.mark.parametrize('down, right', [(0, 0), (2, 1), (-2, 2), (1, -2)])
def test_translation_shifts_and_fills_with_grey(down, right):
    x = _pictures(1)
    draws = [[(reach + 0.5) / 5] for reach in (2 - down, 2 - right)]  # of -2 .. 2
    moved = np.zeros([SIZE + 8, SIZE + 8, 3])
    moved[4 + down:4 + down + SIZE, 4 + right:4 + right + SIZE] = x[0]
    result = _augment('translation', x, draws)[0]
    np.testing.assert_allclose(result, moved[4:4 + SIZE, 4:4 + SIZE], atol=1e-6)


def test_translation_reaches_an_eighth_and_no_further():
    x = _pictures(2)
    result = _augment('translation', x, [[0, 0.9999], [0.5, 0.5]])
    np.testing.assert_allclose(result[0, 2:], x[0, :-2], atol=1e-6)
    np.testing.assert_allclose(result[1, :-2], x[1, 2:], atol=1e-6)


def test_cutout_greys_a_square_of_half_the_side():
    x = np.ones([2, SIZE, SIZE, 3])
    result = _augment('cutout', x, [[0.5, 0], [0.5, 0.5]])
    assert set(np.unique(result)) == {0, 1}
    hole = result[..., 0] == 0
    rows, columns = hole[0].any(1), hole[0].any(0)
    assert hole[0].sum() == rows.sum() * columns.sum()  # a rectangle
    assert abs(rows.sum() - SIZE // 2) <= 1 and abs(columns.sum() - SIZE // 2) <= 1
    assert abs(hole[1].any(1).sum() - SIZE // 4) <= 1  # half of it hangs over the edge


def test_names_apply_in_their_order():
    x = _pictures(1)
    bright, grey = [[1.0], [0.5], [0.5]], [[0.9], [0.5]]
    first, second = _augment('color,translation', x, bright + grey), _augment(
        'translation,color', x, grey + bright)
    np.testing.assert_allclose(first[0, -2:], 0, atol=1e-6)  # shifted up by two: grey came in last
    assert np.abs(second[0, -2:]).max() > 0.1  # ... or was brightened afterwards


def test_gradients_of_both_orders_pass_through():
    with tf.Graph().as_default(), tflib.session(1) as sess:
        reals = tf.constant(_pictures(), tf.float32)
        scale = tf.constant(2.0)
        altered = loss.augment(reals, 'color,translation,cutout',
                                  lambda shape: tf.random.stateless_uniform(shape, [1, 2]))
        scores = tf.reduce_sum(altered ** 2 * scale, [1, 2, 3])[:, tf.newaxis]
        first, = tf.gradients(scores, [reals])
        second, = tf.gradients(tf.reduce_mean(loss.r1(scores, reals)), [scale])
        first, second = sess.run([first, second])
    assert np.isfinite(first).all() and np.abs(first).max() > 0
    assert np.isfinite(second) and second > 0
