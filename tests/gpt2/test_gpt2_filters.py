import numpy as np
import oracle_gpt2 as oracle
import pytest

from dnnlib import tflib
from dnnlib.tflib import tf
from gpt2 import sampler

LOGITS = np.log(np.array([[0.5, 0.1, 0.2, 0.1, 0.1], [0.05, 0.05, 0.8, 0.06, 0.04]], np.float32))


def constants(temperature=1.0, top_k=0, top_p=1.0):
    return sampler.Settings(tf.constant(temperature), tf.constant(top_k), tf.constant(top_p))


def kept(logits, **some):
    """Probabilities by id [n, v] after the sampler."""
    with tf.Graph().as_default(), tflib.session(1) as sess:
        probabilities, ids = sess.run(sampler.candidates(tf.constant(logits), constants(**some)))
    assert np.all(np.diff(probabilities, axis=1) <= 0)
    result = np.zeros_like(logits)
    np.put_along_axis(result, ids, probabilities, axis=1)
    return result


def test_without_filters_these_are_the_probabilities_at_the_temperature():
    np.testing.assert_allclose(kept(LOGITS), np.exp(LOGITS), atol=1e-6)
    np.testing.assert_allclose(kept(LOGITS, temperature=0.5), oracle.softmax(LOGITS * 2), atol=1e-6)


def test_top_k_keeps_ties_with_the_kth():
    np.testing.assert_array_equal(kept(LOGITS, top_k=3) > 0, [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]])
    np.testing.assert_array_equal(kept(LOGITS, top_k=2) > 0, [[1, 0, 1, 0, 0], [0, 0, 1, 1, 0]])
    np.testing.assert_array_equal(kept(LOGITS, top_k=99) > 0, kept(LOGITS) > 0)


def test_top_p_keeps_the_token_that_crosses_p():
    np.testing.assert_array_equal(kept(LOGITS, top_p=0.6) > 0, [[1, 0, 1, 0, 0], [0, 0, 1, 0, 0]])
    np.testing.assert_array_equal(kept(LOGITS, top_p=0.01) > 0, [[1, 0, 0, 0, 0], [0, 0, 1, 0, 0]])


def test_top_p_counts_what_top_k_and_temperature_left():
    both = kept(LOGITS, top_k=2, top_p=0.7)  # 0.5 and 0.2 become 0.71 and 0.29
    np.testing.assert_array_equal(both[0] > 0, [1, 0, 0, 0, 0])


@pytest.mark.parametrize('some', [dict(top_k=3), dict(top_p=0.8), dict(top_k=7, top_p=0.9), {}])
def test_a_row_is_filtered_as_if_it_were_alone(some):
    """Also where a neighbour with many ties makes more tokens stay in sight."""
    logits = np.random.RandomState([0]).standard_normal([6, 300]).astype(np.float32)
    logits[4] = 1.0
    together = kept(logits, **some)
    for row in range(6):
        np.testing.assert_array_equal(kept(logits[row:row + 1], **some)[0], together[row])


def test_draws_come_as_often_as_their_probability():
    n = 1000
    with tf.Graph().as_default(), tflib.session(1) as sess:
        uniform = tf.constant(((np.arange(n) + 0.5) / n).astype(np.float32))
        logits = tf.constant(np.repeat(LOGITS[:1], n, axis=0))
        ids = sess.run(sampler.draw(logits, constants(top_k=2), uniform))
        highest = sess.run(sampler.draw(logits[:1], constants(top_k=2), tf.constant([1.0])))
    share = np.bincount(ids, minlength=5) / n
    np.testing.assert_allclose(share, [5 / 7, 0, 2 / 7, 0, 0], atol=2 / n)
    assert highest[0] == 2  # rounding up to 1 draws the last that is left, not one ruled out


def test_the_penalty_makes_a_token_rarer_whatever_the_sign_of_its_score():
    logits = np.array([[2.0, -2.0, 2.0, -2.0]], np.float32)
    factor = np.array([[1.0, 1.0, 1.25, 1.25]], np.float32)
    with tf.Graph().as_default(), tflib.session(1) as sess:
        ours = sess.run(sampler.penalised(tf.constant(logits), tf.constant(factor)))
    np.testing.assert_array_equal(ours, np.array([[2.0, -2.0, 1.6, -2.5]], np.float32))


def test_recorded_filters(recorded):
    """Top-k as released; a nucleus holds the released one and, where there is more, one token."""
    logits = recorded['filter_logits']
    np.testing.assert_array_equal(kept(logits, top_k=40) > 0, recorded['top_k_40'] > -1e9)
    for p in (0.1, 0.5, 0.9, 0.99):
        ours, theirs = kept(logits, top_p=p) > 0, recorded[f'top_p_{p:g}'] > -1e9
        assert np.all(ours >= theirs)
        assert set((ours.sum(axis=1) - theirs.sum(axis=1)).tolist()) <= {0, 1}
        crossing = np.where(theirs, oracle.softmax(logits), 0).sum(axis=1) < p
        np.testing.assert_array_equal(ours.sum(axis=1) > theirs.sum(axis=1), crossing)
