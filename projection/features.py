"""Features by which a search judges whether two pictures look alike, built inside its graph.

Each is a function: images float32 [n, s, s, 3] in [-1, 1] -> float32 [n, d], both tensors. The
squared distance of two rows is how different two pictures look.
"""

import numpy as np

from dnnlib import archive
from dnnlib.tflib import shape_list, tf
from stylegan import ops

_SMALLEST = 8  # pixels: where the pyramid ends
# VGG16 (Simonyan & Zisserman 2014, column D): the convolutions of each block, and what it was
# trained to see: RGB in 0..255 less the mean colour of ImageNet.
_VGG_BLOCKS = (2, 2, 3, 3, 3)
_VGG_MEAN = np.float32([123.68, 116.779, 103.939])
_VGG_SIDE = 256  # larger pictures are shrunk to it first


def _flat(x):
    """x [n, ...] -> [n, d], so scaled that a squared distance is the mean over all of x."""
    size = int(np.prod(shape_list(x)[1:]))
    return tf.reshape(x, [-1, size]) / np.float32(np.sqrt(size))


def pyramid(images):
    """Pixels and their differences to the right and lower neighbours, at every size from 8 px up.

    Needs no network. The differences weigh edges as much as areas, the small sizes give a search
    its direction while shapes do not overlap yet.
    """
    parts, x = [], images
    while True:
        parts += [_flat(x), _flat(x[:, :, 1:] - x[:, :, :-1]), _flat(x[:, 1:] - x[:, :-1])]
        if x.shape.as_list()[1] <= _SMALLEST:
            return tf.concat(parts, 1)
        x = ops.down(x)


def _vgg_weights(path):
    names = ['conv%d_%d' % (block + 1, layer + 1)
             for block, layers in enumerate(_VGG_BLOCKS) for layer in range(layers)]
    with archive.reading(
            path, 'VGG16', 'give an .npz with conv1_1_W [3, 3, in, out], conv1_1_b [out] to '
            'conv5_3_b', names=[name + end for name in names for end in ('_W', '_b')]) as arrays:
        return [(arrays[name + '_W'], arrays[name + '_b']) for name in names]


def vgg16(path):
    """The features of a VGG16 in an `.npz`: the outputs of its blocks, each vector of maps to unit
    length (Zhang et al. 2018, section 3, without its learned weights).

    path: arrays conv1_1_W [3, 3, in, out], conv1_1_b [out] to conv5_3. Raises UserError.
    """
    weights = _vgg_weights(path)

    def features(images):
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
            side = unit.shape.as_list()[1]  # the mean over places of the sum over maps
            parts.append(tf.reshape(unit, [-1, int(np.prod(unit.shape.as_list()[1:]))]) / side)
        return tf.concat(parts, 1)
    return features
