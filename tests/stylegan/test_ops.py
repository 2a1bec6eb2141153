"""Every layer of StyleGAN against its definition in float64 numpy, with weights drawn at random."""

import numpy as np
import oracle_stylegan as oracle
import pytest

from dnnlib import tflib
from dnnlib.tflib import tf
from stylegan import ops

RANDOM = np.random.RandomState([11])


def _run(build, *inputs, **weights):
    """build(tensors...) evaluated with the variables of that graph set to `weights`."""
    with tf.Graph().as_default(), tflib.session(1) as sess:
        result = build(*[tf.constant(x, tf.float32) for x in inputs])
        assert {v.op.name for v in tf.global_variables()} == set(weights)
        tflib.assign(sess, {name: np.float32(value) for name, value in weights.items()})
        return sess.run(result)


def _maps(n=2, size=6, channels=3):
    return RANDOM.randn(n, size, size, channels)


def _kernel(size, fan_in, fan_out):
    """A random kernel and the factor that equalised learning rates put on it."""
    return RANDOM.randn(size, size, fan_in, fan_out), np.sqrt(2 / (size * size * fan_in))


def _close(a, b, atol=2e-5):
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, atol=atol, rtol=0)


@pytest.mark.parametrize('shape, gain, lrmul', [
    ([3, 3, 16, 8], np.sqrt(2), 1.0), ([64, 40], 1.0, 1.0), ([64, 40], np.sqrt(2), 0.01)])
def test_equalised_weights(shape, gain, lrmul):
    with tf.Graph().as_default(), tflib.session(1) as sess:
        tf.set_random_seed(1)
        scaled = ops.weight(shape, gain=gain, lrmul=lrmul)
        sess.run(tf.global_variables_initializer())
        scaled, stored = sess.run([scaled, tf.global_variables()[0]])
    assert stored.std() == pytest.approx(1 / lrmul, rel=0.1)  # unit variance, slower ones larger
    fan_in = np.prod(shape[:-1])
    np.testing.assert_allclose(scaled, stored * gain / np.sqrt(fan_in) * lrmul, rtol=1e-6)


def test_bias_and_its_slower_form():
    x, value = _maps(), RANDOM.randn(3)
    _close(_run(ops.bias, x, bias=value), x + value)
    _close(_run(lambda x: ops.bias(x, lrmul=0.01), x, bias=value), x + value * 0.01)


def test_lrelu_and_its_gradients():
    x = [-5.0, 0, 5]
    assert _run(ops.lrelu, x).tolist() == [-1, 0, 5]
    for build in (ops.lrelu, lambda x: tf.nn.leaky_relu(x, 0.2)):
        found = _run(lambda x: tf.gradients(tf.square(build(x)), [x])[0], x)  # noqa: B023
        np.testing.assert_allclose(found, [-0.4, 0, 10], rtol=1e-6)
        found = _run(lambda x: tf.gradients(tf.gradients(
            build(x) ** 3, [x]), [x])[0], x)  # noqa: B023
        np.testing.assert_allclose(found, [-0.24, 0, 30], rtol=1e-6)


def test_dense():
    x, w = RANDOM.randn(4, 7), RANDOM.randn(7, 5)
    _close(_run(lambda x: ops.dense(x, 5, gain=1.0), x, weight=w), x @ w / np.sqrt(7))


@pytest.mark.parametrize('size', [1, 3])
def test_conv(size):
    x, (w, scale) = _maps(), _kernel(size, 3, 5)
    _close(_run(lambda x: ops.conv(x, 5, kernel=size), x, weight=w), oracle.conv(x, w * scale))


@pytest.mark.parametrize('mirrored', [False, True])
def test_up_conv_doubles_then_convolves(mirrored):
    x, (w, scale) = _maps(), _kernel(3, 3, 5)
    kernel = (w[::-1, ::-1] if mirrored else w) * scale
    _close(_run(lambda x: ops.up_conv(x, 5, mirrored=mirrored), x, weight=w),
           oracle.conv(oracle.up(x), kernel))


def test_conv_down_convolves_then_takes_means():
    x, (w, scale) = _maps(), _kernel(3, 3, 5)
    _close(_run(lambda x: ops.conv_down(x, 5), x, weight=w),
           oracle.down(oracle.conv(x, w * scale)))


def test_blur_darkens_only_borders():
    x = _maps()
    _close(_run(ops.blur, x), oracle.blur(x))
    flat = _run(ops.blur, np.ones([1, 4, 4, 2]))[0, :, :, 1]
    _close(flat, np.outer([.75, 1, 1, .75], [.75, 1, 1, .75]))


def test_up_and_down():
    x = _maps()
    _close(_run(ops.up, x), oracle.up(x))
    _close(_run(ops.down, x), oracle.down(x))


def test_mix_goes_from_a_to_b():
    assert [float(_run(ops.mix, 2.0, 10.0, t)) for t in (0.0, 0.25, 1.0)] == [2, 4, 10]


def test_noise_has_a_strength_for_each_map():
    x, strength = _maps(n=2), RANDOM.randn(3)
    for n in (1, 2):  # one plane for all images, or one each
        plane = RANDOM.randn(n, 6, 6, 1)
        _close(_run(ops.noise, x, plane, noise_strength=strength), x + plane * strength)


def _adain(x, w, known):
    """AdaIN of a batch of known size, which large samples are fused for, or of an unknown one."""
    return ops.adain(x if known else tf.placeholder_with_default(x, [None] + x.shape.as_list()[1:]),
                     w)


@pytest.mark.parametrize('known', [False, True])
@pytest.mark.parametrize('size', [6, 32])
def test_adain_normalises_then_scales_then_shifts(size, known):
    x, w = 5 + 3 * _maps(n=2, size=size), RANDOM.randn(2, 4)
    values = {'style/weight': RANDOM.randn(4, 6), 'style/bias': RANDOM.randn(6)}
    affine = (w @ values['style/weight'] / 2 + values['style/bias'])[:, np.newaxis, np.newaxis]

    def build(x, w):
        return _adain(x, w, known)
    _close(_run(build, x, w, **values),
           oracle.instance_norm(x) * (affine[..., :3] + 1) + affine[..., 3:])
    values = {name: 0 * value for name, value in values.items()}
    y = _run(build, x, w, **values)
    assert np.abs(y.mean((1, 2))).max() < 1e-5 and np.abs(y.var((1, 2)) - 1).max() < 1e-4
    _close(_run(build, 1e-4 * x, w, **values), oracle.instance_norm(1e-4 * x), 1e-3)  # epsilon


def test_gradients_of_adain_fused_and_not():
    """Of first and second order."""
    x, w, y = _maps(size=32), RANDOM.randn(2, 4), _maps(size=32)
    values = {'style/weight': RANDOM.randn(4, 6), 'style/bias': RANDOM.randn(6)}

    def gradients(known, order):
        def build(x, w, y):
            loss = tf.reduce_sum(y * tf.sin(_adain(x, w, known)))
            by_x, by_w = tf.gradients(loss, [x, w])
            if order == 2:
                by_x, by_w = tf.gradients(tf.reduce_sum(y * tf.square(by_x)), [x, w])
            return tf.concat([tf.reshape(by_x, [-1]), tf.reshape(by_w, [-1])], 0)
        return _run(build, x, w, y, **values)
    for order in (1, 2):
        fused, plain = gradients(True, order), gradients(False, order)
        _close(fused, plain, 2e-5 * np.abs(plain).max())


def _stddev_of_four(x):
    return ops.minibatch_stddev(x, group=4)


@pytest.mark.parametrize('n', [1, 3, 4, 8, 12])
def test_minibatch_stddev(n):
    x = _maps(n) * np.arange(1, n + 1)[:, np.newaxis, np.newaxis, np.newaxis]
    _close(_run(_stddev_of_four, x), oracle.minibatch_stddev(x))


def test_minibatch_stddev_groups_are_strided():
    x = np.zeros([8, 4, 4, 1])
    x[[0, 4]] = 1  # both in the group of the even samples: 0, 2, 4, 6
    added = _run(_stddev_of_four, x)[:, 0, 0, 1]
    np.testing.assert_allclose(added, [0.5, 1e-4] * 4, atol=1e-5)


def test_minibatch_stddev_refuses_incomplete_groups():
    with pytest.raises(AssertionError, match='minibatch 6 is no multiple of the group size 4'):
        _run(_stddev_of_four, _maps(6))
