"""One step of the training graph: which variables it moves, minibatches in parts, failures."""

import numpy as np
import pytest
import toy_stylegan

from dnnlib import parallel, tflib
from dnnlib.accumulation import NotFinite
from dnnlib.tflib import tf
from stylegan.config import Training
from stylegan.graph import Graph, share


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


@pytest.mark.parametrize(('count', 'group', 'workers'), [(12, 4, 3), (24, 4, 2), (6, 2, 3),
                                                         (4, 8, 1)])
def test_workers_share_whole_groups(monkeypatch, count, group, workers):
    """Of the minibatch standard deviation, where a sample is in that of its number modulo their
    count."""
    monkeypatch.setattr(parallel, 'size', workers)
    shares, groups = [], count // min(group, count)
    for rank in range(workers):
        monkeypatch.setattr(parallel, 'rank', rank)
        shares.append(share(count, group))
        own = shares[-1].reshape(min(group, count), -1) % groups  # a group of its own a column
        assert (own == own[0]).all() and len(set(own[0])) == groups // workers
    assert sorted(np.concatenate(shares)) == list(range(count))


NETWORK = toy_stylegan.network(resolution=8)
REALS = np.random.RandomState(0).randint(0, 256, [4, 8, 8, 3]).astype(np.uint8)


def _values(graph):
    return graph.session.run({v.op.name: v for v in tf.global_variables()})


@pytest.mark.parametrize('damaged', ['D/4x4/Dense1/weight', 'D/8x8/FromRGB/weight/D_adam_1'])
@pytest.mark.parametrize('parts', [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_step_that_is_not_finite_changes_nothing(damaged, parts):
    """With a weight, or Adam's state, made NaN, no other variable differs by a bit."""
    training = Training(accumulate=parts, threads=1, augment='color')
    with Graph(NETWORK, training, res=8, minibatch=4) as graph:
        graph.start(None)
        graph.step(REALS, alpha=0.5, lrate=0.01, penalise=True)
        variable, = [v for v in tf.global_variables() if v.op.name == damaged]
        value = graph.session.run(variable)
        value.flat[-1] = np.nan
        tflib.assign(graph.session, {damaged: value})
        before = _values(graph)
        with pytest.raises(NotFinite):
            graph.step(REALS, alpha=0.5, lrate=0.01, penalise=True)
        for name, value in _values(graph).items():
            assert np.array_equal(value, before[name]) or name == damaged, name


def test_a_generator_update_that_is_not_finite_takes_the_discriminators_back():
    with Graph(NETWORK, Training(threads=1), res=8, minibatch=4) as graph:
        graph.start(None)
        graph.step(REALS, alpha=1.0, lrate=0.01, penalise=True)
        before = _values(graph)

        def failing(session, feeds):
            assert not np.array_equal(_values(graph)['D/4x4/Dense1/weight'],
                                      before['D/4x4/Dense1/weight'])
            raise NotFinite
        graph._g_update.run = failing
        with pytest.raises(NotFinite):
            graph.step(REALS, alpha=1.0, lrate=0.01, penalise=True)
        for name, value in _values(graph).items():
            assert np.array_equal(value, before[name]), name


@pytest.mark.slow
def test_the_discriminator_has_a_learning_rate_of_its_own():
    moved = {}
    for d_lrate in (None, 0.0, 0.02):
        with Graph(NETWORK, Training(threads=1), res=8, minibatch=4) as graph:
            graph.start(None)
            before = _values(graph)
            graph.step(REALS, alpha=1.0, lrate=0.01, penalise=True, d_lrate=d_lrate)
            after = _values(graph)
        moved[d_lrate] = [np.abs(after[name] - before[name]).max()
                          for name in ('D/4x4/Conv/weight', 'G/synthesis/4x4/Conv/weight')]
    assert moved[0.0][0] == 0 and moved[0.0][1] > 0
    assert moved[0.02][0] == pytest.approx(2 * moved[None][0], rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize('res, ratio', [(4, 1 / 4), (8, 1)])
def test_r1_is_measured_in_pixels_of_the_full_resolution_or_its_own(res, ratio):
    found = {}
    for pixels in ('full', 'own'):
        training = Training(threads=1, r1_pixels=pixels)
        with Graph(NETWORK, training, res=res, minibatch=4) as graph:
            graph.start(None)
            found[pixels] = graph.step(REALS[:, :res, :res], alpha=1.0, lrate=0.01,
                                       penalise=True)['r1']
    assert found['full'] == pytest.approx(ratio * found['own'], rel=1e-5) and found['own'] > 0


def test_raw_images_are_those_of_the_generator_itself():
    z = np.random.RandomState(1).randn(3, 6).astype(np.float32)
    with Graph(NETWORK, Training(average_kimg=1000, threads=1), res=8, minibatch=4) as graph:
        graph.start(None)
        assert np.array_equal(graph.show(z, 1.0), graph.show(z, 1.0, raw=True))
        for _ in range(3):
            graph.step(REALS, alpha=1.0, lrate=0.1, penalise=True)
        averaged, raw = graph.show(z, 1.0), graph.show(z, 1.0, raw=True)
        assert not np.array_equal(averaged, raw)
        graph.session.run(graph._copy)  # now the average is the generator itself
        assert np.array_equal(graph.show(z, 1.0), raw)
