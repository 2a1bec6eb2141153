"""Differentiable augmentation (Zhao et al. 2020): the discriminator sees only altered pictures.

Real and generated pictures go through the same random changes, and the generator's gradient flows
through them, so a small catalogue lasts longer before it is learnt by heart.
"""

from dnnlib.tflib import shape_list, tf


def color(x, uniform):
    """Brightness +-0.5, saturation 0..2, contrast 0.5..1.5, each drawn per picture."""
    n = shape_list(x)[0]
    x = x + (uniform([n, 1, 1, 1]) - 0.5)
    grey = tf.reduce_mean(x, 3, keepdims=True)
    x = grey + (x - grey) * (uniform([n, 1, 1, 1]) * 2)
    mean = tf.reduce_mean(x, [1, 2, 3], keepdims=True)
    return mean + (x - mean) * (uniform([n, 1, 1, 1]) + 0.5)


def translation(x, uniform):
    """Shift by up to an eighth of the side each way; what comes in is 0 (grey).

    A shift is a product with a 0/1 matrix for rows and one for columns, which has gradients of
    every order on every device.
    """
    n, h, w, _ = shape_list(x)

    def shifts(size):
        reach = size // 8
        offset = tf.cast(tf.floor(uniform([n, 1]) * (2 * reach + 1)), tf.int32) - reach
        return tf.one_hot(tf.range(size)[tf.newaxis] + offset, size)  # [n, size, size]
    return tf.einsum('nyi,nijc,nxj->nyxc', shifts(h), x, shifts(w))


def cutout(x, uniform):
    """Set a square of half the side, placed at random, to 0 (grey)."""
    n, h, w, _ = shape_list(x)

    def inside(size):
        centre = tf.floor(uniform([n, 1]) * size)
        return tf.cast(tf.abs(tf.range(size, dtype=tf.float32) - centre) < size / 4, tf.float32)
    hole = inside(h)[:, :, tf.newaxis] * inside(w)[:, tf.newaxis, :]
    return x * (1 - hole)[:, :, :, tf.newaxis]


KINDS = {'color': color, 'translation': translation, 'cutout': cutout}


def augment(x, names, uniform):
    """Pictures [n, h, w, 3] in [-1, 1] -> the same, altered.

    names:   comma-separated names from KINDS, applied in that order; '' leaves x alone.
    uniform: function shape -> uniform random tensor in [0, 1), different at every call.
    """
    for name in filter(None, names.split(',')):
        x = KINDS[name](x, uniform)
    return x
