"""Each augmentation does the announced thing to each picture, and lets gradients through."""

import numpy as np
import pytest

from dnnlib import tflib
from dnnlib.tflib import tf
from stylegan import augment, loss

SIZE = 16
RANDOM = np.random.RandomState([4])


def _pictures(n=3):
    return RANDOM.uniform(-1, 1, [n, SIZE, SIZE, 3])


def _run(names, x, draws=()):
    """augment() with the numbers `draws` (one array each call) in place of random ones."""
    waiting = list(draws)

    def uniform(shape):
        value = np.float32(waiting.pop(0)).reshape([len(x)] + [1] * (len(shape) - 1))
        return tf.constant(value)
    with tf.Graph().as_default(), tflib.session(1) as sess:
        result = sess.run(augment.augment(tf.constant(x, tf.float32), names, uniform))
    assert not waiting and result.shape == x.shape
    return result


def test_no_names_change_nothing():
    x = _pictures()
    np.testing.assert_allclose(_run('', x), x, atol=1e-7)


def test_color_is_brightness_saturation_contrast():
    x = _pictures()
    draws = RANDOM.rand(3, 3)
    brightness, saturation, contrast = draws[..., np.newaxis, np.newaxis, np.newaxis]
    expected = x + brightness - 0.5
    grey = expected.mean(3, keepdims=True)
    expected = grey + (expected - grey) * 2 * saturation
    mean = expected.mean((1, 2, 3), keepdims=True)
    expected = mean + (expected - mean) * (contrast + 0.5)
    np.testing.assert_allclose(_run('color', x, draws), expected, atol=1e-5)
    np.testing.assert_allclose(_run('color', x, [[0.5] * 3] * 3), x, atol=1e-6)  # all neutral


@pytest.mark.parametrize('down, right', [(0, 0), (2, 1), (-2, 2), (1, -2)])
def test_translation_shifts_and_fills_with_grey(down, right):
    x = _pictures(1)
    draws = [[(reach + 0.5) / 5] for reach in (2 - down, 2 - right)]  # of -2 .. 2
    moved = np.zeros([SIZE + 8, SIZE + 8, 3])
    moved[4 + down:4 + down + SIZE, 4 + right:4 + right + SIZE] = x[0]
    result = _run('translation', x, draws)[0]
    np.testing.assert_allclose(result, moved[4:4 + SIZE, 4:4 + SIZE], atol=1e-6)


def test_translation_reaches_an_eighth_and_no_further():
    x = _pictures(2)
    result = _run('translation', x, [[0, 0.9999], [0.5, 0.5]])
    np.testing.assert_allclose(result[0, 2:], x[0, :-2], atol=1e-6)
    np.testing.assert_allclose(result[1, :-2], x[1, 2:], atol=1e-6)


def test_cutout_greys_a_square_of_half_the_side():
    x = np.ones([2, SIZE, SIZE, 3])
    result = _run('cutout', x, [[0.5, 0], [0.5, 0.5]])
    assert set(np.unique(result)) == {0, 1}
    hole = result[..., 0] == 0
    rows, columns = hole[0].any(1), hole[0].any(0)
    assert hole[0].sum() == rows.sum() * columns.sum()  # a rectangle
    assert abs(rows.sum() - SIZE // 2) <= 1 and abs(columns.sum() - SIZE // 2) <= 1
    assert abs(hole[1].any(1).sum() - SIZE // 4) <= 1  # half of it hangs over the edge


def test_names_apply_in_their_order():
    x = _pictures(1)
    bright, grey = [[1.0], [0.5], [0.5]], [[0.9], [0.5]]
    first, second = _run('color,translation', x, bright + grey), _run(
        'translation,color', x, grey + bright)
    np.testing.assert_allclose(first[0, -2:], 0, atol=1e-6)  # shifted up by two: grey came in last
    assert np.abs(second[0, -2:]).max() > 0.1  # ... or was brightened afterwards


def test_gradients_of_both_orders_pass_through():
    with tf.Graph().as_default(), tflib.session(1) as sess:
        reals = tf.constant(_pictures(), tf.float32)
        scale = tf.constant(2.0)
        altered = augment.augment(reals, 'color,translation,cutout',
                                  lambda shape: tf.random.stateless_uniform(shape, [1, 2]))
        scores = tf.reduce_sum(altered ** 2 * scale, [1, 2, 3])[:, tf.newaxis]
        first, = tf.gradients(scores, [reals])
        second, = tf.gradients(tf.reduce_mean(loss.r1(scores, reals)), [scale])
        first, second = sess.run([first, second])
    assert np.isfinite(first).all() and np.abs(first).max() > 0
    assert np.isfinite(second) and second > 0
