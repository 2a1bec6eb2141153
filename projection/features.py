"""Perceptual features to compare images by, as TensorFlow operations.

Each function maps images, float32 [n, s, s, 3] in [-1, 1], to features, float32 [n, d], both
tensors. The squared distance of two rows is the perceptual distance of two images.
"""

import numpy as np

from dnnlib import archive
from dnnlib.tflib import shape_list, tf
from stylegan import ops

_SMALLEST = 8  # pixels: the last level of the pyramid
# VGG16 (Simonyan & Zisserman 2014, column D): convolutions per block, and the mean colour of
# ImageNet, which is subtracted from RGB in 0..255.
_VGG_BLOCKS = (2, 2, 3, 3, 3)
_VGG_MEAN = np.float32([123.68, 116.779, 103.939])
_VGG_SIDE = 256  # larger images are downscaled to it, as in Karras et al. 2019


def _flat(x):
    """x [n, ...] -> [n, d], scaled so that a squared distance is the mean over all of x."""
    size = int(np.prod(shape_list(x)[1:]))
    return tf.reshape(x, [-1, size]) / np.float32(np.sqrt(size))


def pyramid(images):
    """Pixels and their differences to the right and lower neighbours, at every size from 8 px up.

    Needs no network. The differences give edges as much weight as areas; the small sizes give a
    gradient where shapes do not overlap yet.
    """
    parts, x = [], images
    while True:
        parts += [_flat(x), _flat(x[:, :, 1:] - x[:, :, :-1]), _flat(x[:, 1:] - x[:, :-1])]
        if x.shape.as_list()[1] <= _SMALLEST:
            return tf.concat(parts, 1)
        x = ops.down(x)


def read_vgg16(path):
    """The weights in an `.npz` of VGG16: list of (kernel [3, 3, in, out], bias [out]).

    path: arrays conv1_1_W, conv1_1_b to conv5_3_b. Raises UserError.
    """
    names = [f'conv{block + 1}_{layer + 1}'
             for block, layers in enumerate(_VGG_BLOCKS) for layer in range(layers)]
    with archive.reading(
            path, 'VGG16', 'give an .npz with conv1_1_W [3, 3, in, out], conv1_1_b [out] to '
            'conv5_3_b', names=[name + end for name in names for end in ('_W', '_b')]) as arrays:
        weights, channels = [], 3
        for name in names:
            kernel, bias = [archive.finite(arrays)[name + end] for end in ('_W', '_b')]
            if kernel.ndim != 4 or kernel.shape[:3] != (3, 3, channels) or (
                    bias.shape != kernel.shape[3:]):
                raise ValueError(f'{name} has the shapes {kernel.shape} and {bias.shape}')
            weights.append((kernel.astype(np.float32), bias.astype(np.float32)))
            channels = len(bias)
        return weights


def vgg16(images, weights):
    """The output of each block of VGG16, normalised to unit length over its channels.

    weights: of `read_vgg16`. As in LPIPS (Zhang et al. 2018, section 3), without its learned
    weights.
    """
    x = (images + 1) * 127.5 - _VGG_MEAN
    while x.shape.as_list()[1] > _VGG_SIDE:
        x = ops.down(x)
    parts, convolutions = [], iter(weights)
    for block, layers in enumerate(_VGG_BLOCKS):
        if block:
            x = tf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], 'SAME')
        for _ in range(layers):
            kernel, bias = next(convolutions)
            x = tf.nn.relu(tf.nn.conv2d(x, tf.constant(kernel), [1, 1, 1, 1], 'SAME') + bias)
        unit = x * tf.rsqrt(tf.reduce_sum(tf.square(x), -1, keepdims=True) + 1e-10)
        side = unit.shape.as_list()[1]  # the mean over positions of the sum over channels
        parts.append(tf.reshape(unit, [-1, int(np.prod(unit.shape.as_list()[1:]))]) / side)
    return tf.concat(parts, 1)
