"""The training graph of StyleGAN v1 at one resolution: random draws, losses, steps, averages.

Everything that the future depends on is a variable here (weights, averages, both optimisers, the
image counter), so a checkpoint of all variables is whole by construction. All randomness is a
function of (seed, images shown), so a resumed run repeats what an unbroken one would have drawn.
"""

import itertools

import numpy as np

from dnnlib import images, tflib
from dnnlib.tflib import tf
from stylegan import augment, loss, networks, ops

SHOWN = 16  # pictures drawn at a time for the sample grid


class Draws:
    """Random tensors of one step: each call is a stream of its own of (seed, images shown)."""

    def __init__(self, seed, step, nimg):
        self._nimg = tf.cast(nimg, tf.int32)
        self._streams = itertools.count(1000 * seed + 100 * step)

    def _key(self):
        return tf.stack([next(self._streams), self._nimg])

    def normal(self, shape):
        return tf.random.stateless_normal(shape, self._key())

    def uniform(self, shape):
        return tf.random.stateless_uniform(shape, self._key())

    def planes(self, count):
        """A function layer -> fresh noise for each of `count` pictures, [count, h, w, 1]."""
        return lambda layer: self.normal(
            [count, networks.noise_res(layer), networks.noise_res(layer), 1])


def mixed_styles(draws, network, *, count, res, mixing):
    """Random styles for training -> ws [count, layers, latent], and their mean w [latent].

    In a share `mixing` of the batches, all layers from a random one on take a second style; the
    mean is that of the first (Karras et al. 2018, section 3.1).
    """
    layers = networks.layers(res)
    first, second = [networks.mapping(draws.normal([count, network.latent_size]), network)
                     for _ in range(2)]
    cutoff = 1 + tf.cast(tf.floor(draws.uniform([]) * (layers - 1)), tf.int32)  # 1 .. layers - 1
    cutoff = tf.where(draws.uniform([]) < mixing, cutoff, layers)
    keep = tf.cast(tf.range(layers) < cutoff, tf.float32)[:, tf.newaxis]
    ws = first[:, tf.newaxis] * keep + second[:, tf.newaxis] * (1 - keep)
    return ws, tf.reduce_mean(first, 0)


class Graph:
    """Both networks at `res` pixels, with a session; use it in a `with` block.

    After `start`, `step` trains once, `reset_optimisers` forgets Adam's state, `show` draws with
    the averaged generator and `snapshot` gives its weights.
    """

    def __init__(self, network, training, *, res, minibatch):
        self.network, self.training, self.res, self._minibatch = network, training, res, minibatch
        self._graph = tf.Graph()
        with self._graph.as_default():
            tf.set_random_seed(training.seed + 1)
            self._nimg = tf.get_variable('nimg', [], tf.int64, trainable=False,
                                         initializer=tf.zeros_initializer())
            self._alpha = tf.placeholder(tf.float32, [], 'alpha')
            self._lrate = tf.placeholder(tf.float32, [], 'lrate')
            self._reals = tf.placeholder(tf.uint8, [minibatch, res, res, 3], 'reals')
            self._build_losses()
            self._build_average()
            self._build_steps()
            self._initialise = tf.global_variables_initializer()

    def __enter__(self):
        self._entered = self._graph.as_default()
        self._entered.__enter__()
        self.session = tflib.session(self.training.threads)
        return self

    def __exit__(self, *error):
        self.session.close()
        self._entered.__exit__(*error)

    def _generate(self, draws):
        """A batch of training pictures by G; making it also moves the average of w."""
        with tf.variable_scope('G', reuse=tf.AUTO_REUSE):
            average = tf.get_variable('dlatent_avg', [self.network.latent_size], trainable=False,
                                      initializer=tf.zeros_initializer())
            ws, mean = mixed_styles(draws, self.network, count=self._minibatch, res=self.res,
                                    mixing=self.training.mixing)
            move = tf.assign(average, ops.mix(mean, average, self.training.w_beta))
            with tf.control_dependencies([move]):
                ws = tf.identity(ws)
            return networks.synthesis(ws, self.network, res=self.res, alpha=self._alpha,
                                      planes=draws.planes(self._minibatch))

    def _score(self, pictures, draws):
        """D's scores [minibatch, 1] of pictures, augmented if that was asked for."""
        pictures = augment.augment(pictures, self.training.augment, draws.uniform)
        return networks.discriminator(pictures, self.network, res=self.res, alpha=self._alpha)

    def _build_losses(self):
        reals = tf.cast(self._reals, tf.float32) * (2 / 255) - 1
        reals = ops.mix(ops.up(ops.down(reals)), reals, self._alpha)  # they fade in too
        d_draws = Draws(self.training.seed, 0, self._nimg)
        fake_scores = self._score(self._generate(d_draws), d_draws)
        real_scores = self._score(reals, d_draws)
        self._d_loss = tf.reduce_mean(loss.discriminator(real_scores, fake_scores))
        # The original differentiates by the picture blown up to full size, which spreads each
        # pixel's gradient over its copies: a quarter of the penalty for every halving to come.
        share = (self.res / self.network.resolution) ** 2
        self._r1 = tf.reduce_mean(loss.r1(real_scores, reals)) * share
        g_draws = Draws(self.training.seed, 1, self._nimg)
        self._g_loss = tf.reduce_mean(loss.generator(
            self._score(self._generate(g_draws), g_draws)))

    def _build_average(self):
        """Gs: the moving average of G's weights, with a copy of its average w and fixed noise."""
        self._z = tf.placeholder(tf.float32, [None, self.network.latent_size], 'z')
        with tf.variable_scope('Gs'):
            tf.get_variable('dlatent_avg', [self.network.latent_size], trainable=False)
            ws = networks.mapping(self._z, self.network)
            ws = tf.tile(ws[:, tf.newaxis], [1, networks.layers(self.res), 1])
            self._shown = networks.synthesis(ws, self.network, res=self.res, alpha=self._alpha,
                                             planes=networks.stored_noise)
        self._averaged = {v.op.name[len('Gs/'):]: v for v in tf.global_variables('Gs/')}
        own = {v.op.name[len('G/'):]: v for v in tf.global_variables('G/')}
        assert set(own) < set(self._averaged), set(own) - set(self._averaged)
        self._copy = {name: tf.assign(self._averaged[name], own[name]) for name in own}
        beta = 0.5 ** (self._minibatch / (1000 * self.training.average_kimg))
        moves = [
            tf.assign(self._averaged[name], ops.mix(own[name], self._averaged[name], beta))
            for name in own if name != 'dlatent_avg']
        with tf.control_dependencies([self._d_loss]):  # by then its pictures have moved w's average
            moves.append(tf.assign(self._averaged['dlatent_avg'],
                                   own['dlatent_avg'].read_value()))
        self._average = tf.group(*moves)

    def _build_steps(self):
        d_adam, g_adam = [
            tf.train.AdamOptimizer(self._lrate, beta1=0.0, beta2=0.99, epsilon=1e-8, name=name)
            for name in ('D_adam', 'G_adam')]
        d_vars, g_vars = tf.trainable_variables('D/'), tf.trainable_variables('G/')
        penalty = self._r1 * (self.training.r1_gamma / 2 * self.training.r1_interval)
        with tf.control_dependencies([self._average]):  # so Gs lags by the pending step
            self._d_step = d_adam.minimize(self._d_loss, var_list=d_vars)
            self._d_step_r1 = d_adam.minimize(self._d_loss + penalty, var_list=d_vars)
        with tf.control_dependencies([g_adam.minimize(self._g_loss, var_list=g_vars)]):
            self._g_step = tf.assign_add(self._nimg, self._minibatch)
        self._reset = tf.variables_initializer(d_adam.variables() + g_adam.variables())

    def start(self, checkpoint):
        """Initialise; then take over whatever the checkpoint (or None) holds by name."""
        self.session.run(self._initialise)
        self.session.run(list(self._copy.values()))
        if not checkpoint:
            return
        fresh = tflib.restore_matching(self.session, checkpoint, tf.global_variables())
        for variable in fresh:
            assert '/%dx%d/' % (self.res, self.res) in variable.op.name, (
                '%s is missing from %s' % (variable.op.name, checkpoint))

    def step(self, reals, *, alpha, lrate, penalise):
        """One update of the discriminator, then one of the generator -> dict of losses.

        reals: uint8 [minibatch, res, res, 3]; penalise: include R1 in this step.
        """
        feed = {self._reals: reals, self._alpha: alpha, self._lrate: lrate}
        d_fetch = {'d_loss': self._d_loss, 'step': self._d_step}
        if penalise:
            d_fetch = {'d_loss': self._d_loss, 'r1': self._r1, 'step': self._d_step_r1}
        losses = self.session.run(d_fetch, feed)
        losses.update(self.session.run({'g_loss': self._g_loss, 'step': self._g_step}, feed))
        del losses['step']
        return losses

    def reset_optimisers(self):
        """Forget both optimisers' state, as the original does when a fade begins or ends."""
        self.session.run(self._reset)

    def show(self, z, alpha):
        """Pictures of the averaged generator for z [n, latent], uint8 [n, res, res, 3]."""
        return images.to_rgb(np.concatenate([
            self.session.run(self._shown, {self._z: z[i:i + SHOWN], self._alpha: alpha})
            for i in range(0, len(z), SHOWN)]))

    def snapshot(self):
        """The averaged generator: variable name -> float32 array."""
        return self.session.run(self._averaged)
