"""The layers of StyleGAN v1 as plain functions over NHWC tensors (Karras et al. 2018, section 2).

Weights are stored with unit variance and scaled at run time: the equalised learning rate of
Progressive GAN (Karras et al. 2017, section 4.1).
"""

import numpy as np

from dnnlib import tflib
from dnnlib.tflib import shape_list, tf

GAIN_LRELU = np.sqrt(2)  # He et al. 2015, for every layer that a leaky ReLU follows
EPSILON = 1e-8  # added to each variance


def _unscaled(shape, gain=GAIN_LRELU, lrmul=1.0):
    """The variable `weight` [..., fan_out] of this scope as it is stored, and its scale."""
    initial = tf.random_normal_initializer(0, 1 / lrmul)
    stored = tf.get_variable('weight', shape, initializer=initial)
    return stored, np.float32(gain / np.sqrt(np.prod(shape[:-1])) * lrmul)


def weight(shape, *, gain=GAIN_LRELU, lrmul=1.0):
    """The variable `weight` [..., fan_out] of this scope, scaled; lrmul: of its learning rate."""
    stored, scale = _unscaled(shape, gain, lrmul)
    return stored * scale


def bias(x, *, lrmul=1.0):
    """x [..., c] plus the variable `bias` [c] of this scope."""
    value = tf.get_variable('bias', [shape_list(x)[-1]], initializer=tf.zeros_initializer())
    return tf.nn.bias_add(x, value * lrmul if lrmul != 1 else value)


@tf.RegisterGradient('LeakyReluByOutput')
def _lrelu_gradient(op, gradient):
    return tf.raw_ops.LeakyReluGrad(gradients=gradient, features=op.outputs[0], alpha=0.2)


def lrelu(x):
    """Leaky ReLU with a slope of 0.2 below zero.

    Its gradient looks at the sign of the output, which is that of x, so that x need not be kept.
    """
    with tf.get_default_graph().gradient_override_map({'LeakyRelu': 'LeakyReluByOutput'}):
        return tf.nn.leaky_relu(x, 0.2)


def dense(x, fmaps, *, gain=GAIN_LRELU, lrmul=1.0):
    """x [n, in] -> [n, fmaps], without bias."""
    return tf.matmul(x, weight([shape_list(x)[-1], fmaps], gain=gain, lrmul=lrmul))


def conv(x, fmaps, *, kernel=3, gain=GAIN_LRELU):
    """x [n, h, w, in] -> [n, h, w, fmaps], zero padded, without bias."""
    w = weight([kernel, kernel, shape_list(x)[-1], fmaps], gain=gain)
    return tf.nn.conv2d(x, w, [1, 1, 1, 1], 'SAME')


def _doubled(fan_in, fan_out, *, factor=1.0, rotated=False):
    """The 3x3 `weight` as a 4x4 kernel that acts on 2x2 pixel blocks: the sum of its four shifts.

    A product with one constant matrix shifts, scales by `factor` and the equalised learning rate,
    and rotates by 180 degrees. That is faster than slicing, above all its gradients.
    """
    stored, scale = _unscaled([3, 3, fan_in, fan_out])
    line = np.eye(4, 3) + np.eye(4, 3, -1)  # [4, 3]: one axis of the kernel
    shifts = np.kron(line, line) * (scale * factor)  # [16, 9]
    shifts = tf.constant(shifts[:, ::-1] if rotated else shifts, tf.float32)
    return tf.reshape(tf.matmul(shifts, tf.reshape(stored, [9, -1])), [4, 4, fan_in, fan_out])


def up_conv(x, fmaps, *, mirrored):
    """x [n, h, w, in] -> [n, 2h, 2w, fmaps]: nearest upscaling and a 3x3 convolution, fused.

    A transposed convolution applies its kernel rotated by 180 degrees. The released networks keep
    that from 128 px up (`mirrored`) and use the plain kernel below.
    """
    n, h, w, channels = shape_list(x)
    k = tf.transpose(_doubled(channels, fmaps, rotated=not mirrored), [0, 1, 3, 2])
    x = tf.nn.conv2d_transpose(x, k, tf.stack([n, 2 * h, 2 * w, fmaps]), [1, 2, 2, 1], 'SAME')
    return tf.reshape(x, [-1, 2 * h, 2 * w, fmaps])  # sets the static shape


def conv_down(x, fmaps):
    """x [n, h, w, in] -> [n, h/2, w/2, fmaps]: a 3x3 convolution and 2x2 average pool, fused."""
    k = _doubled(shape_list(x)[-1], fmaps, factor=0.25)
    return tf.nn.conv2d(x, k, [1, 2, 2, 1], 'SAME')


def blur(x):
    """Depthwise binomial filter [1 2 1] x [1 2 1] / 16, zero padded, so borders darken."""
    kernel = np.outer([1, 2, 1], [1, 2, 1]).astype(np.float32) / 16
    kernel = np.tile(kernel[:, :, np.newaxis, np.newaxis], [1, 1, shape_list(x)[-1], 1])
    return tf.nn.depthwise_conv2d(x, tf.constant(kernel), [1, 1, 1, 1], 'SAME')


def up(x):
    """x [n, h, w, c] -> [n, 2h, 2w, c], nearest neighbour."""
    _, h, w, c = shape_list(x)
    x = tf.tile(tf.reshape(x, [-1, h, 1, w, 1, c]), [1, 1, 2, 1, 2, 1])
    return tf.reshape(x, [-1, 2 * h, 2 * w, c])


def down(x):
    """x [n, h, w, c] -> [n, h/2, w/2, c], 2x2 average pool."""
    return tf.nn.avg_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], 'VALID')


def mix(a, b, t):
    """Linear interpolation: a at t = 0, b at t = 1."""
    return a + (b - a) * t


def noise(x, plane):
    """x [n, h, w, c] plus noise [n or 1, h, w, 1] times a learned strength per feature map."""
    strength = tf.get_variable('noise_strength', [shape_list(x)[-1]],
                               initializer=tf.zeros_initializer())
    # As an outer product: three times as fast as two broadcasts and their gradients.
    scaled = tf.matmul(tf.reshape(plane, [-1, 1]), strength[tf.newaxis])
    return x + tf.reshape(scaled, [-1] + shape_list(x)[1:])


def _fused_norm(x, scale, shift):
    """`_norm` of one sample [1, h, w, c] by a kernel for batch norm: less than half the time."""
    nothing = tf.zeros([0])
    return tf.raw_ops.FusedBatchNormV3(x=x, scale=scale, offset=shift, mean=nothing,
                                       variance=nothing, epsilon=EPSILON, is_training=True)[0]


def _norm(x, scale, shift):
    """Instance norm (Ulyanov et al. 2016): each feature map of each sample of x [n, h, w, c] at
    mean 0, variance 1, then times scale [n, c], plus shift [n, c]."""
    scale, shift = scale[:, tf.newaxis, tf.newaxis], shift[:, tf.newaxis, tf.newaxis]
    x = x - tf.reduce_mean(x, [1, 2], keepdims=True)
    variance = tf.reduce_mean(tf.square(x), [1, 2], keepdims=True)
    return x * (tf.rsqrt(variance + EPSILON) * scale) + shift


def adain(x, w):
    """AdaIN: instance norm of x [n, h, w, c], scaled and shifted by an affine function of w [n, w].

    Where samples are large, on CPUs, each is normalised by a fused kernel.
    """
    n, height, width, channels = shape_list(x)
    with tf.variable_scope('style'):
        affine = bias(dense(w, 2 * channels, gain=1.0))
    scale, shift = affine[:, :channels] + 1, affine[:, channels:]
    if not isinstance(n, int) or height * width < 32 * 32 or tflib.has_gpu():
        return _norm(x, scale, shift)
    return tf.concat([_fused_norm(sample, scale[index], shift[index])
                      for index, sample in enumerate(tf.split(x, n))], 0)


def minibatch_stddev(x, group):
    """Append the mean standard deviation over a group as a map (Karras et al. 2017, section 3).

    x [n, h, w, c] -> [n, h, w, c + 1]. With m groups, sample i belongs to group i mod m.
    """
    n, h, w, c = shape_list(x)
    assert isinstance(n, int), 'the minibatch must be static here'
    group = min(group, n)
    assert n % group == 0, f'minibatch {n} is no multiple of the group size {group}'
    y = tf.reshape(x, [group, n // group, h, w, c])
    y = tf.sqrt(tf.reduce_mean(tf.square(y - tf.reduce_mean(y, 0, keepdims=True)), 0) + EPSILON)
    y = tf.reduce_mean(y, [1, 2, 3])  # [m]
    y = tf.tile(y[:, tf.newaxis, tf.newaxis, tf.newaxis], [group, h, w, 1])
    return tf.concat([x, y], -1)
