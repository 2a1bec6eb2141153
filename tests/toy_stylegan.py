"""A StyleGAN so small that tests can afford it, and random weights for it."""

import numpy as np

from dnnlib import tflib
from dnnlib.tflib import tf
from stylegan import generator, networks, snapshots
from stylegan.config import Network


def network(**more):
    """A Network of at most five maps, unless told otherwise."""
    return Network(**dict(dict(
        resolution=16, latent_size=6, mapping_layers=2, fmap_base=40, fmap_max=5), **more))


def randomise(sess, seed=0):
    """Give every variable a random value, in a range where no term vanishes -> name -> array."""
    random, values = np.random.RandomState([seed, 12]), {}
    for variable in sorted(tf.global_variables(), key=lambda v: v.op.name):
        name = variable.op.name
        scale = 100 if 'mapping' in name else 1 if name.endswith(('weight', 'noise')) else 0.3
        values[name] = np.float32(random.randn(*variable.shape.as_list()) * scale)
    tflib.assign(sess, values)
    return values


def no_noise(layer):
    """A noise plane of zeros."""
    return tf.zeros([1, networks.noise_res(layer), networks.noise_res(layer), 1])


def planes(values, scope=''):
    """The stored noise planes among random weights, by layer."""
    found = {}
    for name in values:
        if name.startswith(scope + 'synthesis/') and name.endswith('/noise'):
            _, size, conv, _ = name[len(scope):].split('/')
            first = 2 * int(size.split('x')[0]).bit_length() - 6  # 4x4: 0, 8x8: 2, ...
            found[first + (conv in ('Conv', 'Conv1'))] = values[name]
    return [found[layer] for layer in sorted(found)]


def snapshot(path, *, res=16, alpha=1.0, **more):
    """Write a snapshot with random weights -> name -> array."""
    with tf.Graph().as_default(), tflib.session(1) as sess, tf.variable_scope('Gs'):
        toy = network(**more)
        ws = networks.mapping(tf.zeros([1, toy.latent_size]), toy)
        tf.get_variable('dlatent_avg', [toy.latent_size])
        networks.synthesis(tf.tile(ws[:, tf.newaxis], [1, networks.layers(res), 1]), toy, res=res,
                           alpha=alpha, planes=networks.stored_noise)
        values = randomise(sess)
    snapshots.save(path, values, toy, res=res, alpha=alpha, kimg=1.5, made={'by': 'a test'})
    return values


def own_pictures(path, seeds, **more):
    """A snapshot of 8 px that draws within [-1, 1], as trained ones do -> (its Generator, images
    of its own, uint8 [n, 8, 8, 3], their w)."""
    values = snapshot(path, res=8, resolution=8, **more)
    for name in values:
        if 'ToRGB' in name:
            values[name] *= 0.2
    snapshots.save(path, values, network(resolution=8, **more), res=8, alpha=1.0, kimg=1, made={})
    gan = generator.Generator(path, threads=1)
    w = gan.w(gan.seeded(seeds))
    return gan, gan.pictures(gan.truncate(w, 1)), w


def local(values, scope):
    """Those of the values that lie in a scope, by the rest of their names."""
    return {name[len(scope):]: value for name, value in values.items() if name.startswith(scope)}
