"""One step of the training graph: which variables it moves, and minibatches in parts."""

import numpy as np
import pytest
import toy_stylegan

from dnnlib.tflib import tf
from stylegan.config import Training
from stylegan.graph import Graph


def _moved(**knobs):
    """Which variables of D one step moves -> set of scopes such as 8x8/Conv0."""
    network = toy_stylegan.network(resolution=16)
    training = Training(minibatch=4, lrate=0.01, threads=1, **knobs)
    with Graph(network, training, res=16, minibatch=4) as graph:
        graph.start(None)
        variables = tf.trainable_variables('D/')
        before = graph.session.run(variables)
        graph.step(np.zeros([4, 16, 16, 3], np.uint8), alpha=1.0, lrate=0.01, penalise=True)
        after = graph.session.run(variables)
    return {v.op.name.split('/', 1)[1].rsplit('/', 1)[0]
            for v, a, b in zip(variables, before, after) if not np.array_equal(a, b)}


@pytest.mark.slow
def test_freezing_the_discriminator_from_the_largest_blocks_down():
    free, one, two = _moved(), _moved(freeze_d=1), _moved(freeze_d=2)
    assert {'16x16/FromRGB', '16x16/Conv0', '16x16/Conv1_down', '8x8/Conv0', '4x4/Dense1'} <= free
    assert one == {name for name in free if not name.startswith('16x16/')}
    assert two == {name for name in one if not name.startswith('8x8/')}


def test_a_minibatch_in_parts_trains_and_counts_once():
    network = toy_stylegan.network(resolution=8)
    training = Training(minibatch=8, accumulate=2, lrate=0.01, threads=1)
    with Graph(network, training, res=8, minibatch=8) as graph:
        graph.start(None)
        reals = np.random.RandomState(0).randint(0, 256, [8, 8, 8, 3]).astype(np.uint8)
        losses = graph.step(reals, alpha=1.0, lrate=0.01, penalise=True)
        assert set(losses) == {'d_loss', 'r1', 'g_loss'}
        assert np.isfinite(list(losses.values())).all()
        nimg, = [v for v in tf.global_variables() if v.op.name == 'nimg']
        assert graph.session.run(nimg) == 8
