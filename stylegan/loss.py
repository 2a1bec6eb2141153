"""The losses of StyleGAN v1, and the augmentations of the images that D scores.

Non-saturating logistic loss (Goodfellow et al. 2014), R1 gradient penalty (Mescheder et al. 2018),
differentiable augmentation (Zhao et al. 2020). Nothing here knows the networks.
"""

from dnnlib.tflib import shape_list, tf


def generator(fake_scores):
    """Scores [n, 1] of generated images -> non-saturating loss per sample [n]."""
    return tf.nn.softplus(-fake_scores)[:, 0]


def discriminator(real_scores, fake_scores):
    """Scores [n, 1] of real and of generated images -> logistic loss per sample [n]."""
    return (tf.nn.softplus(fake_scores) + tf.nn.softplus(-real_scores))[:, 0]


def r1(real_scores, reals):
    """Squared gradient of the scores by the reals [n, h, w, 3] -> penalty per sample [n]."""
    gradient, = tf.gradients(tf.reduce_sum(real_scores), [reals])
    return tf.reduce_sum(tf.square(gradient), [1, 2, 3])


# --- Differentiable augmentation: real and generated images are altered in the same way, and the
# generator's gradient flows through it, so that D overfits a small training set later.

def color(x, uniform):
    """Brightness +-0.5, saturation 0..2, contrast 0.5..1.5, each drawn per image."""
    n = shape_list(x)[0]
    x = x + (uniform([n, 1, 1, 1]) - 0.5)
    grey = tf.reduce_mean(x, 3, keepdims=True)
    x = grey + (x - grey) * (uniform([n, 1, 1, 1]) * 2)
    mean = tf.reduce_mean(x, [1, 2, 3], keepdims=True)
    return mean + (x - mean) * (uniform([n, 1, 1, 1]) + 0.5)


def translation(x, uniform):
    """Shift by up to an eighth of the side in each direction; uncovered pixels are 0 (grey).

    A shift is a product with a 0/1 matrix for rows and one for columns, which has gradients of
    every order on every device.
    """
    n, h, w, _ = shape_list(x)

    def shifts(size):
        largest = size // 8
        offset = tf.cast(tf.floor(uniform([n, 1]) * (2 * largest + 1)), tf.int32) - largest
        return tf.one_hot(tf.range(size)[tf.newaxis] + offset, size)  # [n, size, size]
    return tf.einsum('nyi,nijc,nxj->nyxc', shifts(h), x, shifts(w))


def cutout(x, uniform):
    """Set a square of half the side, at a random place, to 0 (grey)."""
    n, h, w, _ = shape_list(x)

    def inside(size):
        centre = tf.floor(uniform([n, 1]) * size)
        return tf.cast(tf.abs(tf.range(size, dtype=tf.float32) - centre) < size / 4, tf.float32)
    hole = inside(h)[:, :, tf.newaxis] * inside(w)[:, tf.newaxis, :]
    return x * (1 - hole)[:, :, :, tf.newaxis]


AUGMENTATIONS = {'color': color, 'translation': translation, 'cutout': cutout}


def augment(x, names, uniform):
    """Apply augmentations to images [n, h, w, 3] in [-1, 1].

    names:   comma-separated names of AUGMENTATIONS, applied in that order; '' leaves x unchanged.
    uniform: function shape -> uniform random tensor in [0, 1), different at every call.
    """
    for name in filter(None, names.split(',')):
        x = AUGMENTATIONS[name](x, uniform)
    return x
