"""A minibatch in parts takes the same step as a whole one."""

import numpy as np
import pytest

from dnnlib import tflib
from dnnlib.tflib import tf
from stylegan.update import Update, sums

X = np.float32([[1, 2], [3, -1], [0, 4], [2, 2]])


def _train(parts, steps=3):
    """Least squares with Adam on X in `parts` parts -> (weights, losses, names of globals)."""
    with tf.Graph().as_default(), tflib.session(1) as sess:
        x = tf.placeholder(tf.float32, [4 // parts, 2])
        rate = tf.placeholder(tf.float32, [])
        w = tf.get_variable('w', initializer=[1.0, -1.0])
        idle = tf.get_variable('idle', initializer=1.0)
        loss = tf.reduce_mean(tf.square(tf.reduce_sum(x * w, 1) - 1))
        held = sums([w, idle], parts)
        update = Update(tf.train.AdamOptimizer(rate), [w, idle], {'loss': loss}, loss, parts, held)
        sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        losses = [update.run(sess, [{x: part, rate: 0.1 * step} for part in np.split(X, parts)])
                  for step in range(1, steps + 1)]
        assert all(not value.any() for value in map(np.asarray, sess.run(held)))
        return sess.run([w, idle]), losses, {v.op.name for v in tf.global_variables()}


@pytest.mark.parametrize('parts', [2, 4])
def test_parts_add_up_to_the_whole(parts):
    (whole, idle), losses, _ = _train(1)
    (w, idle_too), part_losses, names = _train(parts)
    np.testing.assert_allclose(w, whole, rtol=1e-5)
    assert idle == idle_too == 1
    for loss, part_loss in zip(losses, part_losses):
        np.testing.assert_allclose(loss['loss'], part_loss['loss'], rtol=1e-5)
    assert not any('sum' in name for name in names)  # so that no checkpoint holds them


def test_a_whole_minibatch_needs_no_sums():
    with tf.Graph().as_default():
        assert sums([tf.get_variable('w', [2])], 1) == []


def test_every_part_is_needed():
    with pytest.raises(AssertionError):
        with tf.Graph().as_default(), tflib.session(1) as sess:
            w = tf.get_variable('w', [2])
            loss = tf.reduce_sum(w)
            Update(tf.train.AdamOptimizer(1.0), [w], {'loss': loss}, loss, 2, sums([w], 2)).run(
                sess, [{}])
