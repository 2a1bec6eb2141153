"""Losses, gradients and steps of the whole training graph against the recorded ones.

The graph is the one that trains; only its random draws are replaced by the recorded ones, and its
reals are fed as they were, behind the fading.
"""

import numpy as np
from parity_row import Row, error, nhwc, ours

from dnnlib import tflib
from dnnlib.tflib import tf
from stylegan import networks
from stylegan.config import Network, Training
from stylegan.graph import Graph
from stylegan.released import names

NETWORK = Network(resolution=32, latent_size=32, mapping_fmaps=48, w_size=40, fmap_base=256,
                  fmap_max=32)
TABLES = {'G': names.generator(NETWORK), 'D': names.discriminator(NETWORK)}
LOSS, SCORE = 2e-4, 2e-4
BATCH = 8
LAYERS = [f'{2 ** r}x{2 ** r}/{layer}' for r in range(2, 6)
          for layer in (('Conv0_up', 'Conv1') if r > 2 else ('Const', 'Conv'))]


class _Draws:
    """Placeholders for what the original drew in one step."""

    def __init__(self, stored):
        self._stored = stored
        self.fed, self._normals, self._uniforms = {}, ['latents', 'latents2'], ['cutoff', 'mixing']

    def _placeholder(self, key, shape):
        self.fed[key] = tf.placeholder(tf.float32, shape)
        return self.fed[key]

    def normal(self, shape):
        return self._placeholder(self._normals.pop(0), shape)

    def uniform(self, shape):
        return self._placeholder(self._uniforms.pop(0), shape)

    def own(self, x):
        """All of it: there is one worker."""
        return x

    own_uniform = uniform

    def planes(self, count):
        if self._stored:
            return networks.stored_noise
        return lambda layer: self._placeholder(
            'noise/' + LAYERS[layer], [count] + [networks.noise_res(layer)] * 2 + [1])

    def feed(self, recorded, prefix, res):
        """Values for all placeholders. prefix: of one side of one recorded iteration."""
        layers, values = networks.layers(res), {}
        for key, placeholder in self.fed.items():
            if key.startswith('noise/'):
                values[placeholder] = nhwc(recorded[prefix + key])
            elif key.startswith('latents'):  # where nothing is mixed, the second ones are unused
                values[placeholder] = recorded.get(prefix + key, recorded[prefix + 'latents'])
        cutoff = int(recorded.get(prefix + 'cutoff', layers))
        values[self.fed['mixing']] = float(cutoff == layers)  # below Training.mixing: mixed
        values[self.fed['cutoff']] = (cutoff - 0.5) / (layers - 1) if cutoff < layers else 0.5
        return values


class Recorded(Graph):
    """The training graph on recorded draws. lod: the recorded level; stored: keep the noise."""

    def __init__(self, recorded, lod, *, stored):
        self.recorded, self._prefix, self._stored = recorded, f'lod{lod:g}/', stored
        self._lod, self._drawn = lod, {}
        super().__init__(NETWORK, Training(threads=1, mixing=0.5), res=2 ** (5 - int(lod)),
                         minibatch=BATCH)
        with self._graph.as_default():
            loss = self._d_loss + 5 * self._r1
            self._gradients = {
                'D/grad': self._of(loss, 'D/'), 'D/grad_without_r1': self._of(self._d_loss, 'D/'),
                'G/grad': self._of(self._g_loss, 'G/')}

    def _draws(self, step):
        self._drawn['DG'[step]] = _Draws(self._stored)
        return self._drawn['DG'[step]]

    def _of(self, loss, scope):
        found = tf.trainable_variables(scope)
        return {v.op.name: g for v, g in zip(found, tf.gradients(loss, found)) if g is not None}

    def load(self):
        """The recorded start."""
        values = ours(self.recorded, 'wG/', TABLES['G'], 'G/')
        values.update(ours(self.recorded, 'wD/', TABLES['D'], 'D/'))
        self.session.run(self._initialise)
        known = {v.op.name for v in tf.global_variables()}
        tflib.assign(self.session, {name: values[name] for name in known & set(values)})
        self.set_average('dlatent_avg/before')

    def set_average(self, key):
        """The average of w, which every evaluation of a loss moves."""
        key = self._prefix + key
        tflib.assign(self.session, {'G/dlatent_avg': self.recorded[key]})

    def feed(self, step, name):
        """A feed for one network's side of a recorded iteration."""
        reals = nhwc(self.recorded['in/reals_q127'] / np.float32(127))
        share = 32 // self.res
        reals = reals.reshape(BATCH, self.res, share, self.res, share, 3).mean((2, 4))
        feed = {self._faded: reals, self._alpha: 1 - self._lod % 1, self._lrate: 0.001,
                self._offset: 0}
        feed.update(self._drawn[name].feed(
            self.recorded, f'{self._prefix}step{step}/{name}/rnd/', self.res))
        return feed

    def row(self, key, value, tolerance, mean=False):
        """A row for one recorded quantity; mean: of the recorded one, which is per sample."""
        recorded = self.recorded[self._prefix + key]
        return Row(self.title + self._prefix + key,
                   error(value, recorded.mean() if mean else recorded), tolerance)

    def gradients(self, key, values):
        """A row for the worst of a loss's gradients, as a share of its variable's largest one."""
        expected = ours(self.recorded, self._prefix + f'step0/{key}/', TABLES[key[0]],
                        key[0] + '/')
        shares = [error(values[name], expected[name]) / (np.abs(expected[name]).max() or 1)
                  for name in expected if name in values]
        assert len(shares) > 5 and all(np.abs(expected[name]).max() == 0
                                       for name in set(expected) - set(values))
        return Row(f'{self.title}{self._prefix}step0/{key} of {len(shares)} variables',
                   max(shares), 2e-3)

    def weights(self, step, name):
        """Absolute errors of all recorded variables of a network after a step."""
        expected = ours(self.recorded, f'{self._prefix}step{step}/{name}/after/',
                        TABLES[name], name + '/')
        found = [v for v in tf.trainable_variables(name + '/') if v.op.name in expected]
        return np.concatenate([np.abs(value - expected[v.op.name]).ravel()
                               for v, value in zip(found, self.session.run(found))])

    def losses(self):
        """Rows for all that was recorded of step 0 before anything moves."""
        values, losses = self.session.run(
            [{key: self._gradients[key] for key in ('D/grad', 'D/grad_without_r1')},
             [self._fake_scores, self._real_scores, self._d_loss, self._r1]], self.feed(0, 'D'))
        fake, real, d_loss, r1 = losses
        # The file has these two names swapped: the losses that it holds come out only so.
        yield self.row('step0/D/real_scores', fake, SCORE)
        yield self.row('step0/D/fake_scores', real, SCORE)
        yield self.row('step0/D/loss_without_r1', d_loss, LOSS, mean=True)
        yield self.row('step0/D/r1_penalty', r1, LOSS, mean=True)
        yield self.row('step0/D/loss', d_loss + 5 * r1, LOSS, mean=True)
        for key in values:
            yield self.gradients(key, values[key])
        yield self.row('step0/dlatent_avg/afterD', self._w_avg(), 2e-5)

    def generator(self):
        """The same for the generator's side."""
        values, g_loss = self.session.run([self._gradients['G/grad'], self._g_loss],
                                          self.feed(0, 'G'))
        yield self.row('step0/G/loss', g_loss, LOSS, mean=True)
        yield self.gradients('G/grad', values)
        yield self.row('step0/dlatent_avg/afterG', self._w_avg(), 2e-5)

    def _w_avg(self):
        average, = [v for v in tf.global_variables() if v.op.name == 'G/dlatent_avg']
        return self.session.run(average)

    def iterate(self):
        """Three whole iterations; rows for the losses and weights after each."""
        for step in range(3):
            losses = self._d_update_r1.run(self.session, [self.feed(step, 'D')])
            yield self.row(f'step{step}/D/loss', losses['d_loss'] + 5 * losses['r1'],
                           LOSS, mean=True)
            d_off = self.weights(step, 'D') if step != 1 else None
            if step == 0:
                yield from self.generator()
                self.set_average('step0/dlatent_avg/afterD')
            self._g_update.run(self.session, [self.feed(step, 'G')])
            if step == 0:
                g_off = self.weights(0, 'G')
                yield Row('weights after step 0, D', float(d_off.max()), 1e-5)
                # A first step is about lrate sign(g): where g is nearly 0, rounding decides.
                yield Row('weights after step 0, G, share off by 1e-5', (g_off > 1e-5).mean(), 1e-3)
                yield Row('weights after step 0, G, the worst', float(g_off.max()), 2e-3)
            elif step == 2:
                off = np.concatenate([d_off, self.weights(2, 'G')])
                yield Row('weights after step 2, mean', float(off.mean()), 1e-5)
                yield Row('weights after step 2, the worst', float(off.max()), 6e-3)


def fixed(recorded):
    """Stored noise, no style mixing: losses and gradients at two levels, then three steps."""
    Recorded.title = ''
    for lod in (0, 1.4):
        with Recorded(recorded, lod, stored=True) as graph:
            graph.load()
            yield from graph.losses()
            if lod == 0:
                graph.set_average('dlatent_avg/before')
                yield from graph.iterate()
            else:
                yield from graph.generator()


def mixed(recorded):
    """Style mixing and fresh noise, at two levels."""
    Recorded.title = 'mixed '
    for lod in (0, 1):
        with Recorded(recorded, lod, stored=False) as graph:
            graph.load()
            yield from graph.losses()
            yield from graph.generator()
