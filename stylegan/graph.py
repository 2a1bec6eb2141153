"""The training graph of StyleGAN v1 at one resolution: random inputs, losses, updates, averages.

The whole state of a training is in variables here (weights, averages, both optimisers, the image
counter), so a checkpoint of all variables is complete. All randomness is a function of (seed,
images shown), so a resumed run draws the same numbers as one that was never stopped.
"""

import itertools

import numpy as np

from dnnlib import images, parallel, tflib
from dnnlib.accumulation import NotFinite, Update, sums
from dnnlib.tflib import tf
from stylegan import loss, networks, ops, snapshots

SHOWN = 16  # images drawn at a time for the sample grid


class Draws:
    """Random tensors of one step: each call is a separate stream of (seed, images shown).

    share: where several workers share a minibatch, a list of the samples of this one: it draws what
    one worker would, and takes those of `own_uniform` and `planes`; None: all.
    """

    def __init__(self, seed, step, nimg, share=None):
        self._nimg, self._share = tf.cast(nimg, tf.int32), share
        self._streams = itertools.count(1000 * seed + 100 * step)

    def _key(self):
        return tf.stack([next(self._streams) % 2 ** 31, self._nimg])

    def normal(self, shape):
        return tf.random.stateless_normal(shape, self._key())

    def uniform(self, shape):
        return tf.random.stateless_uniform(shape, self._key())

    def own(self, x):
        """This worker's samples of x [n, ...]."""
        return x if self._share is None else tf.gather(x, self._share)

    def own_uniform(self, shape):
        """As `uniform`; shape [n, ...]: that of this worker's samples."""
        workers = 1 if self._share is None else parallel.size
        return self.own(self.uniform([workers * shape[0], *shape[1:]]))

    def planes(self, count):
        """A function layer -> new noise for each of this worker's samples of `count` images,
        [n, h, w, 1]."""
        return lambda layer: self.own(self.normal(
            [count, networks.noise_res(layer), networks.noise_res(layer), 1]))


def process_reals(rgb, alpha):
    """uint8 images [n, res, res, 3] -> float32 in [-1, 1], faded in as the generated ones are."""
    reals = tf.cast(rgb, tf.float32) * (2 / 255) - 1
    return ops.mix(ops.up(ops.down(reals)), reals, alpha)


def decay(minibatch, half_life_kimg):
    """Decay per minibatch of a moving average with a half-life in thousand images."""
    return 0.5 ** (minibatch / (1000 * half_life_kimg))


def mixed_styles(draws, network, *, count, res, mixing):
    """Random styles with mixing regularisation -> ws [count, layers, w] and their mean w [w].

    With probability `mixing`, all layers from a random one on take a second style, in the whole
    minibatch; the mean is that of the first (Karras et al. 2018, section 3.1).
    """
    layers = networks.layers(res)
    first, second = [networks.mapping(draws.normal([count, network.latent_size]), network)
                     for _ in range(2)]
    cutoff = 1 + tf.cast(tf.floor(draws.uniform([]) * (layers - 1)), tf.int32)  # 1 .. layers - 1
    cutoff = tf.where(draws.uniform([]) < mixing, cutoff, layers)
    keep = tf.cast(tf.range(layers) < cutoff, tf.float32)[:, tf.newaxis]
    ws = first[:, tf.newaxis] * keep + second[:, tf.newaxis] * (1 - keep)
    return ws, tf.reduce_mean(first, 0)


def share(count, group):
    """Which of `count` samples this worker has, where several share them: int [count / workers].

    Whole groups of the minibatch standard deviation, in an order that leaves them groups: a sample
    is in that of its number modulo count / group, see `ops.minibatch_stddev`.
    """
    groups = np.arange(count).reshape(min(group, count), -1)  # in the columns
    return np.split(groups, parallel.size, axis=1)[parallel.rank].ravel()


class Graph:
    """Both networks at `res` pixels, with a session; use it in a `with` block.

    Call `start` first. `step` trains once, `reset_optimisers` clears Adam's state, `show` draws and
    `snapshot` returns weights. Attribute share: which samples of a minibatch this worker has, where
    several share it; None: all.
    """

    def __init__(self, network, training, *, res, minibatch):
        parts = training.accumulate
        assert minibatch % parts == 0, (minibatch, parts)  # as train.check tells
        self.network, self.training, self.res = network, training, res
        self._minibatch, self._part = minibatch, minibatch // parts
        self.share = self._part_share = None
        self._graph = tf.Graph()
        with self._graph.as_default():
            tf.set_random_seed(training.seed + 1)
            self._nimg = tf.get_variable('nimg', [], tf.int64, trainable=False,
                                         initializer=tf.zeros_initializer())
            self._alpha = tf.placeholder(tf.float32, [], 'alpha')
            self._lrate = tf.placeholder(tf.float32, [], 'lrate')
            self._reals = tf.placeholder(tf.uint8, [self._part, res, res, 3], 'reals')
            self._offset = tf.placeholder(tf.int64, [], 'offset')  # of this part in its minibatch
            self._build_losses()
            self._build_average()
            if parallel.size > 1:  # after all variables: initial values depend on how many ops
                self._build_share()  # precede, and are to be those of one worker
            self._build_steps()
            self._build_raw()  # after all variables, as above
            self._sync = parallel.broadcast(tf.global_variables())
            self._initialise = tf.group(tf.global_variables_initializer(),
                                        tf.local_variables_initializer())

    def __enter__(self):
        self._entered = self._graph.as_default()
        self._entered.__enter__()
        self.session = parallel.session(self.training.threads, self.training.bfloat16)
        return self

    def __exit__(self, *error):
        self.session.close()
        self._entered.__exit__(*error)

    def _draws(self, step):
        """The random tensors of the discriminator's step (0) or the generator's (1)."""
        return Draws(self.training.seed, step, self._nimg + self._offset, self._part_share)

    def _generate(self, draws):
        """A minibatch of images by G; making it also updates the moving average of w."""
        with tf.variable_scope('G', reuse=tf.AUTO_REUSE):
            average = tf.get_variable('dlatent_avg', [self.network.w_width], trainable=False,
                                      initializer=tf.zeros_initializer())
            ws, mean = mixed_styles(draws, self.network, count=self._part, res=self.res,
                                    mixing=self.training.mixing)
            beta = self.training.w_beta ** (1 / self.training.accumulate)
            with tf.control_dependencies([tf.assign(average, ops.mix(mean, average, beta))]):
                ws = draws.own(tf.identity(ws))
            return networks.synthesis(ws, self.network, res=self.res, alpha=self._alpha,
                                      planes=draws.planes(self._part))

    def _score(self, pictures, draws):
        """D's scores [part, 1] of images, augmented as configured."""
        pictures = loss.augment(pictures, self.training.augment, draws.own_uniform)
        return networks.discriminator(pictures, self.network, res=self.res, alpha=self._alpha)

    def _build_losses(self):
        self._faded = process_reals(self._reals, self._alpha)
        draws = self._draws(0)
        self._fake_scores = self._score(self._generate(draws), draws)
        self._real_scores = self._score(self._faded, draws)
        self._d_loss = tf.reduce_mean(loss.discriminator(self._real_scores, self._fake_scores))
        # The original differentiates by the image upscaled to full resolution, which spreads each
        # pixel's gradient over its copies: a quarter of the penalty for every halving.
        full = self.training.r1_pixels == 'full'
        scale = (self.res / self.network.resolution) ** 2 if full else 1.0
        self._r1 = tf.reduce_mean(loss.r1(self._real_scores, self._faded)) * scale
        draws = self._draws(1)
        self._g_loss = tf.reduce_mean(loss.generator(self._score(self._generate(draws), draws)))

    def _build_share(self):
        """The losses once more, of this worker's share of each part."""
        self._part_share = share(self._part, self.network.mbstd_group)
        self.share = np.concatenate([offset + self._part_share for offset
                                     in range(0, self._minibatch, self._part)])
        self._reals = tf.placeholder(tf.uint8, [len(self._part_share), self.res, self.res, 3])
        self._build_losses()

    def _build_average(self):
        """Gs: the moving average of G's weights, with a copy of its average w, and fixed noise."""
        self._z = tf.placeholder(tf.float32, [None, self.network.latent_size], 'z')
        with tf.variable_scope('Gs'):
            tf.get_variable('dlatent_avg', [self.network.w_width], trainable=False)
            ws = networks.mapping(self._z, self.network)
            ws = tf.tile(ws[:, tf.newaxis], [1, networks.layers(self.res), 1])
            self._shown = networks.synthesis(ws, self.network, res=self.res, alpha=self._alpha,
                                             planes=networks.stored_noise)
        self._averaged = {v.op.name: v for v in tf.global_variables('Gs/')}
        own = {'Gs' + v.op.name[1:]: v for v in tf.global_variables('G/')}
        assert set(own) <= set(self._averaged), set(own) - set(self._averaged)
        beta = decay(self._minibatch, self.training.average_kimg)
        self._copy = tf.group(*[tf.assign(self._averaged[name], own[name]) for name in own])
        self._average = tf.group(*[
            tf.assign(self._averaged[name], own[name] if name == 'Gs/dlatent_avg'
                      else ops.mix(own[name], self._averaged[name], beta)) for name in own])

    def _trained(self):
        """The trainable variables of D, less the frozen blocks (Mo et al. 2020), and those of G."""
        top = self.network.log2
        frozen = tuple(f'D/{2 ** r}x{2 ** r}/'
                       for r in range(top, top - self.training.freeze_d, -1))
        d_vars = [v for v in tf.trainable_variables('D/') if not v.op.name.startswith(frozen)]
        return d_vars, tf.trainable_variables('G/')

    def _build_steps(self):
        self._d_lrate = tf.placeholder_with_default(self._lrate, [], 'd_lrate')
        d_adam, g_adam = [
            tf.train.AdamOptimizer(lrate, beta1=0.0, beta2=0.99, epsilon=1e-8, name=name)
            for lrate, name in ((self._d_lrate, 'D_adam'), (self._lrate, 'G_adam'))]
        parts, (d_vars, g_vars) = self.training.accumulate, self._trained()
        penalty = self._r1 * (self.training.r1_gamma / 2 * self.training.r1_interval)
        held = sums(d_vars, parts)
        self._d_update, self._d_update_r1 = [
            Update(d_adam, d_vars, tf.gradients(minimised, d_vars), losses, parts, held)
            for minimised, losses in ((self._d_loss, {'d_loss': self._d_loss}),
                                      (self._d_loss + penalty,
                                       {'d_loss': self._d_loss, 'r1': self._r1}))]
        self._g_update = Update(g_adam, g_vars, tf.gradients(self._g_loss, g_vars),
                                {'g_loss': self._g_loss}, parts, sums(g_vars, parts))
        self._count = tf.assign_add(self._nimg, self._minibatch)
        self._reset = tf.variables_initializer(d_adam.variables() + g_adam.variables())
        self._build_undo(d_vars + d_adam.variables() + list(self._averaged.values())
                         + [v for v in tf.global_variables() if v.op.name == 'G/dlatent_avg'])

    def _build_undo(self, variables):
        """Copies of what a step changes before the generator's update, for one that fails there."""
        copies = [tf.get_variable(v.op.name + '/before', v.shape.as_list(), trainable=False,
                                  initializer=tf.zeros_initializer(),
                                  collections=[tf.GraphKeys.LOCAL_VARIABLES]) for v in variables]
        self._keep, self._undo = [
            tf.group(*[tf.assign(target, source) for target, source in pairs])
            for pairs in (zip(copies, variables), zip(variables, copies))]

    def _build_raw(self):
        """What G itself draws for the same z as Gs, with the noise that is stored with Gs."""
        with tf.variable_scope('G', reuse=True):
            ws = networks.mapping(self._z, self.network)
            ws = tf.tile(ws[:, tf.newaxis], [1, networks.layers(self.res), 1])
            self._raw = networks.synthesis(
                ws, self.network, res=self.res, alpha=self._alpha, planes=lambda layer:
                self._averaged[f'Gs{tf.get_variable_scope().name[1:]}/noise'])

    def start(self, checkpoint, weights=None):
        """Initialise, then restore by name whatever the checkpoint (or None) holds.

        weights: what the training started from, variable name -> array of G, D and Gs, or None;
        for a start without checkpoint, and for the layers that are new at this resolution.
        Of several workers the first does so and the others get its values.
        """
        self.session.run(self._initialise)
        self.session.run(self._copy)
        if checkpoint:
            fresh = tflib.restore_matching(self.session, checkpoint, tf.global_variables())
            for variable in fresh:
                assert f'/{self.res}x{self.res}/' in variable.op.name, (
                    f'{variable.op.name} is missing from {checkpoint}')
            tflib.assign(self.session, {v.op.name: weights[v.op.name] for v in fresh
                                        if v.op.name in (weights or {})})
        elif weights:
            given = tf.trainable_variables() + list(self._averaged.values())
            shapes = {v.op.name: v.shape.as_list() for v in given}
            shapes['G/dlatent_avg'] = shapes['Gs/dlatent_avg']
            snapshots.check_shapes('the network to start from', weights, shapes)
            tflib.assign(self.session, {name: weights[name] for name in shapes})
        parallel.run(self.session, self._sync)

    def step(self, reals, *, alpha, lrate, penalise, d_lrate=None):
        """One update of the discriminator, then one of the generator -> {name: loss}.

        reals: uint8 [minibatch, res, res, 3], of several workers the `share`; penalise: include R1
        in this step; d_lrate: learning rate of the discriminator, by default `lrate`.
        Raises NotFinite if a loss or gradient is not, and then no variable has changed.
        """
        feeds = [{self._reals: part, self._alpha: alpha, self._lrate: lrate,
                  self._d_lrate: lrate if d_lrate is None else d_lrate,
                  self._offset: number * self._part}
                 for number, part in enumerate(np.split(reals, self.training.accumulate))]
        d_update = self._d_update_r1 if penalise else self._d_update
        self.session.run(self._keep)
        try:
            losses = d_update.run(self.session, feeds)
            self.session.run(self._average)  # before G moves, so Gs lags by the pending step
            losses.update(self._g_update.run(self.session, feeds))
        except NotFinite:
            self.session.run(self._undo)
            raise
        self.session.run(self._count)
        return losses

    def operations(self, penalise):
        """The operations whose arithmetic `step` runs, for counting it."""
        return [(self._d_update_r1 if penalise else self._d_update).step, self._g_update.step]

    def reset_optimisers(self):
        """Clear both optimisers' state, as the original does when a fade begins or ends."""
        self.session.run(self._reset)

    def show(self, z, alpha, raw=False):
        """Images of the averaged generator for z [n, latent], uint8 [n, res, res, 3].

        raw: of G itself, whose weights are not averaged, instead.
        """
        drawn = self._raw if raw else self._shown
        return images.to_rgb(np.concatenate([
            self.session.run(drawn, {self._z: z[i:i + SHOWN], self._alpha: alpha})
            for i in range(0, len(z), SHOWN)]))

    def sizes(self):
        """Parameter counts: the trainable ones of 'G' and 'D', those of 'Gs', 'all' variables."""
        own, everything = self._trained()[1], self._graph.get_collection('variables')
        return {'G': tflib.parameters(own), 'all': tflib.parameters(everything),
                'D': tflib.parameters(tf.trainable_variables('D/')),
                'Gs': tflib.parameters(self._averaged.values())}

    def snapshot(self, everything=False):
        """The averaged generator, variable name -> float32 array.

        everything: also G and D, in half precision, so that a training can start from the file.
        """
        values = self.session.run(self._averaged)
        if everything:
            own = {v.op.name: v for v in tf.trainable_variables('[GD]/')
                   + tf.global_variables('G/dlatent_avg')}
            values.update({name: value.astype(np.float16)
                           for name, value in self.session.run(own).items()})
        return values
