"""The three networks against a numpy forward pass, and against each other while growing."""

import numpy as np
import oracle_stylegan as oracle
import pytest
import toy_stylegan

from dnnlib import tflib
from dnnlib.tflib import tf
from stylegan import networks


def _close(a, b, atol):
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, atol=atol, rtol=0)


def _ws(network, res, n=3):
    return np.random.RandomState([res, n]).randn(n, networks.layers(res), network.latent_size)


def _images(res, n=4):
    return np.random.RandomState([res, n, 1]).uniform(-1, 1, [n, res, res, 3])


def _synthesis(network, ws, *, res, alphas, values=None):
    """Images at each alpha with the stored noise -> (list of arrays, weights by name)."""
    with tf.Graph().as_default(), tflib.session(1) as sess:
        alpha = tf.placeholder(tf.float32, [])
        rgb = networks.synthesis(tf.constant(ws, tf.float32), network, res=res, alpha=alpha,
                                 planes=networks.stored_noise)
        drawn = toy_stylegan.randomise(sess)
        values = dict(drawn, **(values or {}))
        tflib.assign(sess, {name: values[name] for name in drawn})
        return [sess.run(rgb, {alpha: value}) for value in alphas], values


def _scores(network, images, *, res, alphas, values=None):
    """Scores at each alpha -> (list of [n, 1], weights by name)."""
    with tf.Graph().as_default(), tflib.session(1) as sess:
        alpha = tf.placeholder(tf.float32, [])
        scores = networks.discriminator(tf.constant(images, tf.float32), network, res=res,
                                        alpha=alpha)
        drawn = toy_stylegan.randomise(sess)
        values = dict(drawn, **(values or {}))
        tflib.assign(sess, {name: values[name] for name in drawn})
        return [sess.run(scores, {alpha: value}) for value in alphas], values


def test_layers_and_noise_sizes():
    assert [networks.layers(res) for res in (4, 8, 64, 512, 1024)] == [2, 4, 10, 16, 18]
    assert [networks.noise_res(layer) for layer in range(6)] == [4, 4, 8, 8, 16, 16]


def test_feature_maps():
    default = toy_stylegan.Network()
    assert [default.fmaps(stage) for stage in range(1, 10)] == [
        512, 512, 512, 512, 256, 128, 64, 32, 16]


def test_parameter_counts_are_those_of_the_released_512_network():
    with tf.Graph().as_default():
        network = toy_stylegan.Network()
        networks.mapping(tf.zeros([4, 512]), network)
        networks.synthesis(tf.zeros([4, 16, 512]), network, res=512, alpha=1.0,
                           planes=toy_stylegan.no_noise)
        assert tflib.parameters(tf.trainable_variables()) == 26179768
        mapping = [v for v in tf.trainable_variables() if v.op.name.startswith('mapping/')]
        assert tflib.parameters(mapping) == 2101248


def test_mapping_against_the_oracle():
    network = toy_stylegan.network(mapping_layers=3)
    z = np.random.RandomState(0).randn(5, 6) * [[.01], [1], [1], [5], [100]]
    with tf.Graph().as_default(), tflib.session(1) as sess:
        w = networks.mapping(tf.constant(z, tf.float32), network)
        values = toy_stylegan.randomise(sess)
        _close(sess.run(w), oracle.mapping(z, values, 3), 2e-5)


def test_a_faster_mapping_has_smaller_stored_weights_and_gives_the_same():
    z, results = np.random.RandomState([5]).randn(4, 6).astype(np.float32), []
    for lrmul in (0.01, 0.5):
        with tf.Graph().as_default(), tflib.session(1) as sess:
            w = networks.mapping(tf.constant(z), toy_stylegan.network(mapping_lrmul=lrmul))
            values = toy_stylegan.randomise(sess)
            tflib.assign(sess, {name: value * (0.01 / lrmul) for name, value in values.items()})
            results.append(sess.run(w))
    np.testing.assert_allclose(results[1], results[0], rtol=1e-4)


@pytest.mark.parametrize('res, fused, mirrored_from', [
    (4, 'auto', 128), (16, 'auto', 128), (16, 'yes', 8)])
def test_synthesis_against_the_oracle(res, fused, mirrored_from):
    network = toy_stylegan.network(fused_scale=fused)
    ws, alphas = _ws(network, res), [1.0, 0.4]
    pictures, values = _synthesis(network, ws, res=res, alphas=alphas)
    for rgb, alpha in zip(pictures, alphas):
        _close(rgb, oracle.synthesis(ws, values, res=res, alpha=alpha, mirrored_from=mirrored_from,
                                     planes=toy_stylegan.planes(values)), 2e-4)


@pytest.mark.parametrize('res, n', [(4, 4), (16, 8), (8, 3)])
def test_discriminator_against_the_oracle(res, n):
    images, alphas = _images(res, n), [1.0, 0.3]
    scores, values = _scores(toy_stylegan.network(), images, res=res, alphas=alphas)
    for score, alpha in zip(scores, alphas):
        _close(score, oracle.discriminator(images, values, res=res, alpha=alpha), 5e-5)


def test_a_new_resolution_begins_as_the_old_one_doubled():
    network = toy_stylegan.network()
    ws, images = _ws(network, 16), _images(16)
    (new,), values = _synthesis(network, ws, res=16, alphas=[0.0])
    (old,), _ = _synthesis(network, ws[:, :4], res=8, alphas=[1.0], values=values)
    _close(new, oracle.up(old), 1e-6)
    (old,), values = _scores(network, oracle.down(images), res=8, alphas=[1.0])
    (new,), _ = _scores(network, images, res=16, alphas=[0.0], values=values)
    _close(new, old, 1e-5)


def test_wrong_shapes_are_named():
    network = toy_stylegan.network()
    with tf.Graph().as_default():
        with pytest.raises(AssertionError):
            networks.synthesis(tf.zeros([1, 4, 6]), network, res=16, alpha=1.0, planes=None)
        with pytest.raises(AssertionError, match=r'\[4, 8, 8, 3\]'):
            networks.discriminator(tf.zeros([4, 8, 8, 3]), network, res=16, alpha=1.0)


def test_a_network_without_noise_has_none():
    network = toy_stylegan.network(use_noise=False)
    with tf.Graph().as_default():
        networks.synthesis(tf.zeros([1, 6, 6]), network, res=16, alpha=1.0, planes=None)
        assert not [v for v in tf.global_variables() if 'noise' in v.op.name]
