"""The losses of StyleGAN v1, on score tensors; they know no network.

Non-saturating logistic loss (Goodfellow et al. 2014) and the R1 penalty (Mescheder et al. 2018).
"""

from dnnlib.tflib import tf


def generator(fake_scores):
    """[n, 1] scores of generated pictures -> loss per sample [n]."""
    return tf.nn.softplus(-fake_scores)[:, 0]


def discriminator(real_scores, fake_scores):
    """[n, 1] scores of real and of generated pictures -> loss per sample [n]."""
    return (tf.nn.softplus(fake_scores) + tf.nn.softplus(-real_scores))[:, 0]


def r1(real_scores, reals):
    """Squared gradient of the scores by the reals [n, h, w, 3] -> penalty per sample [n]."""
    gradient, = tf.gradients(tf.reduce_sum(real_scores), [reals])
    return tf.reduce_sum(tf.square(gradient), [1, 2, 3])
