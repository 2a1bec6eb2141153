"""A minibatch in parts takes the same step as a whole one; one that is not finite takes none."""

import numpy as np
import pytest

from dnnlib import tflib
from dnnlib.accumulation import NotFinite, Update, sums
from dnnlib.tflib import tf

X = np.float32([[1, 2], [3, -1], [0, 4], [2, 2]])


def _train(parts, clip=0.0, steps=3):
    """Least squares with Adam on X in `parts` parts -> (weights, losses, names of globals)."""
    with tf.Graph().as_default(), tflib.session(1) as sess:
        x = tf.placeholder(tf.float32, [4 // parts, 2])
        rate = tf.placeholder(tf.float32, [])
        w = tf.get_variable('w', initializer=[1.0, -1.0])
        idle = tf.get_variable('idle', initializer=1.0)
        loss = tf.reduce_mean(tf.square(tf.reduce_sum(x * w, 1) - 1))
        held = sums([w, idle], parts)
        update = Update(tf.train.AdamOptimizer(rate), [w, idle], tf.gradients(loss, [w, idle]),
                        {'loss': loss}, parts, held, clip)
        sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        losses = [update.run(sess, [{x: part, rate: 0.1 * step} for part in np.split(X, parts)])
                  for step in range(1, steps + 1)]
        assert all(not value.any() for value in map(np.asarray, sess.run(held)))
        return sess.run([w, idle]), losses, {v.op.name for v in tf.global_variables()}


@pytest.mark.parametrize('clip', [0.0, 0.1])
@pytest.mark.parametrize('parts', [2, 4])
def test_parts_add_up_to_the_whole(parts, clip):
    (whole, idle), losses, of_whole = _train(1, clip)
    (w, idle_too), part_losses, names = _train(parts, clip)
    np.testing.assert_allclose(w, whole, rtol=1e-5)
    assert idle == idle_too == 1
    for loss, part_loss in zip(losses, part_losses):
        np.testing.assert_allclose(loss['loss'], part_loss['loss'], rtol=1e-5)
    assert not any('sum' in name for name in names)  # so that no checkpoint holds them
    assert names == of_whole  # so that a checkpoint fits any number of parts


def test_a_whole_minibatch_needs_no_sums():
    with tf.Graph().as_default():
        assert sums([tf.get_variable('w', [2])], 1) == []


def test_every_part_is_needed():
    with tf.Graph().as_default(), tflib.session(1) as sess:
        w = tf.get_variable('w', [2])
        loss = tf.reduce_sum(w)
        update = Update(tf.train.AdamOptimizer(1.0), [w], tf.gradients(loss, [w]), {'loss': loss},
                        2, sums([w], 2))
        with pytest.raises(AssertionError):
            update.run(sess, [{}])


def test_the_gradient_is_limited_as_a_whole():
    with tf.Graph().as_default(), tflib.session(1) as sess:
        a, b = tf.get_variable('a', initializer=[0.0]), tf.get_variable('b', initializer=[0.0])
        update = Update(tf.train.GradientDescentOptimizer(1.0), [a, b],
                        [tf.constant([3.0]), tf.constant([4.0])], {}, clip=0.5)
        sess.run(tf.global_variables_initializer())
        update.run(sess, [{}])
        np.testing.assert_allclose(np.concatenate(sess.run([a, b])), [-0.3, -0.4], rtol=1e-6)


@pytest.mark.parametrize('parts', [1, 2])
@pytest.mark.parametrize('damage', [np.nan, np.inf])
@pytest.mark.parametrize('where', ['loss', 'gradient'])
def test_a_step_that_is_not_finite_changes_nothing(parts, damage, where):
    with tf.Graph().as_default(), tflib.session(1) as sess:
        x = tf.placeholder(tf.float32, [4 // parts, 2])
        w, idle = tf.get_variable('w', initializer=[1.0, -1.0]), tf.get_variable('idle', [3])
        loss = tf.reduce_mean(tf.square(tf.reduce_sum(x * w, 1) - 1))
        gradients = tf.gradients(loss, [w]) + [tf.reduce_sum(x) * tf.ones([3])]
        losses = {'loss': loss if where == 'loss' else tf.constant(1.0)}
        if where == 'loss':  # not finite alone
            gradients = [tf.ones_like(w), tf.ones_like(idle)]
        update = Update(tf.train.AdamOptimizer(0.1), [w, idle], gradients, losses, parts,
                        sums([w, idle], parts))
        sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        update.run(sess, [{x: part} for part in np.split(X, parts)])
        everything = tf.global_variables() + tf.local_variables()
        before = sess.run(everything)
        bad = X.copy()
        bad[3, 1] = damage  # in the last part
        with pytest.raises(NotFinite, match='losses or gradients are not finite'):
            update.run(sess, [{x: part} for part in np.split(bad, parts)])
        for variable, old, new in zip(everything, before, sess.run(everything)):
            assert np.array_equal(old, new), variable.op.name
        update.run(sess, [{x: part} for part in np.split(X, parts)])
        assert np.isfinite(sess.run(w)).all()


def test_no_variable_moves_before_all_gradients_are_there():
    with tf.Graph().as_default() as graph:
        a, b = tf.get_variable('a', initializer=2.0), tf.get_variable('b', initializer=3.0)
        gradients = tf.gradients(a * b, [a, b])
        Update(tf.train.GradientDescentOptimizer(1.0), [a, b], gradients, {})
        moves = [op for op in graph.get_operations() if op.type == 'ApplyGradientDescent']
        assert len(moves) == 2
        for move in moves:
            assert {gradient.op for gradient in gradients} <= _before(move)


def _before(operation):
    """The operations that have to end before one begins."""
    found, todo = set(), [operation]
    while todo:
        op = todo.pop()
        new = {i.op for i in op.inputs} | set(op.control_inputs)
        todo += new - found
        found |= new
    return found
