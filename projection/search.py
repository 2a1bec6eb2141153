"""The search for w: gradient descent, then Gauss-Newton steps.

The projection of StyleGAN2 (Karras et al. 2019, section 5 and appendix D) for StyleGAN v1: Adam on
w, and on the noise inputs of networks that have them. Two additions: several searches start from
the nearest of many random w, since one may end in a local minimum, and in W the best of them ends
with a few Gauss-Newton steps, which converge in narrow valleys where Adam is slow.
"""

import dataclasses
import zlib

import numpy as np

from dnnlib import files, tflib
from dnnlib.adam import Adam
from dnnlib.tflib import tf
from projection import features
from projection.config import learning_rate
from stylegan import networks, snapshots

_SAMPLES = 10000  # random w that mean and covariance are estimated from
_CHUNK = 16  # images drawn at a time
_EPSILON = 0.02  # standard deviations: the step of finite differences
_DAMPINGS = (0.1, 1, 10, 100, 1000)  # factors of the damping, all tried at each step
_LARGEST = 2 ** 28  # elements of a Jacobian; with a larger one there are no Gauss-Newton steps


@dataclasses.dataclass
class Found:
    """The result of a search for n images.

    ws [n, layers, w]; noises: list of noise inputs [n, h, w, 1]; losses [steps, n]: squared
    feature distance at each step of Adam, of the best start, and Gauss-Newton; path: list of ws
    [n, layers, w], one per frame of the video.
    """
    ws: np.ndarray
    noises: list
    losses: np.ndarray
    path: list


def noise_regularisation(noise):
    """Regularisation of a noise input [n, h, w, 1] -> [n] (Karras et al. 2019, appendix D).

    The squared autocorrelation at a shift of one pixel, summed over resolutions halved to 8 px.
    """
    total = 0
    while True:
        for axis in (1, 2):
            shifted = tf.roll(noise, 1, axis)
            total += tf.square(tf.reduce_mean(noise * shifted, [1, 2, 3]))
        if noise.shape.as_list()[1] <= 8:
            return total
        noise = tf.nn.avg_pool(noise, [1, 2, 2, 1], [1, 2, 2, 1], 'VALID')


def _standardised(noise):
    """A noise input [n, h, w, 1] normalised to mean 0 and variance 1 per image."""
    noise = noise - noise.mean((1, 2, 3), keepdims=True)
    deviation = np.sqrt(np.square(noise).mean((1, 2, 3), keepdims=True))
    return (noise / np.maximum(deviation, 1e-8)).astype(np.float32)


def _better(one, other):
    """Of two Found for the same n images, the one with the lower final loss, image by image."""
    lower = other.losses[-1] < one.losses[-1]

    def choose(a, b):
        return np.where(lower.reshape([-1] + [1] * (a.ndim - 1)), b, a)
    return Found(choose(one.ws, other.ws),
                 [choose(*pair) for pair in zip(one.noises, other.noises)],
                 np.where(lower, other.losses, one.losses),
                 [choose(*pair) for pair in zip(one.path, other.path)])


class Projector:
    """Projects images into the latent space of one generator.

    generator: stylegan.generator.Generator. config: projection.config.Projection.
    vgg: file of a VGG16 to compare images by (`features.read_vgg16`); None: `features.pyramid`.
    between: called before each run of the network, so that other work may run; an exception from it
    ends the search.
    Attributes: config, vgg (the digest of its file, or ''), res, layers, samples [m, w], their mean
    [w] and deviation.
    Raises UserError if that file is not a VGG16.
    """

    def __init__(self, generator, config, vgg=None, between=lambda: None):
        weights = features.read_vgg16(vgg) if vgg else None
        self.config, self.res, self.layers = config, generator.res, generator.layers
        self.vgg = files.digest(vgg) if vgg else ''
        self._between = between
        z = np.random.RandomState(123).randn(_SAMPLES, generator.latent_size).astype(np.float32)
        self.samples = generator.w(z)
        self.mean = self.samples.mean(0)
        centred = self.samples - self.mean
        self.deviation = float(np.sqrt(np.square(centred).sum(1).mean()))
        values, vectors = np.linalg.eigh(np.cov(centred, rowvar=False))
        self._axes = np.float32(vectors * np.sqrt(np.maximum(values, 1e-6 * values[-1])))  # [w, w]
        self._build(generator, weights)

    def _build(self, generator, vgg_weights):
        variables, network, about = snapshots.load(generator.path)
        sides = [networks.noise_res(layer) for layer in range(self.layers)] * network.use_noise
        with tf.Graph().as_default():
            self._ws = tf.placeholder(tf.float32, [None, self.layers, network.w_width])
            self._noises = [tf.placeholder(tf.float32, [None, side, side, 1]) for side in sides]
            with tf.variable_scope('Gs'):
                self._images = networks.synthesis(
                    self._ws, network, res=self.res, alpha=about['alpha'],
                    planes=lambda layer: self._noises[layer])
            generator_variables = tf.global_variables()
            self._features = (features.vgg16(self._images, vgg_weights) if vgg_weights else
                              features.pyramid(self._images))
            self._targets = tf.placeholder(tf.float32, self._features.shape)
            self._losses = tf.reduce_sum(tf.square(self._features - self._targets), 1)
            total = tf.reduce_sum(self._losses + self._regularisation())
            self._gradients = tf.gradients(total, [self._ws] + self._noises)
            self._session = tflib.session(self.config.threads)
            tflib.assign(self._session,
                         {v.op.name: variables[v.op.name] for v in generator_variables})

    def _regularisation(self):
        """The terms of the loss that do not depend on the image: [n]."""
        total = self.config.noise_weight * sum(
            noise_regularisation(noise) for noise in self._noises)
        if self.config.space == 'w+':
            squared = tf.reduce_sum(tf.square(self._ws - self.mean), 2) / self.deviation ** 2
            total += self.config.pull * tf.reduce_mean(squared, 1)
        return total

    def _fetch(self, tensor, ws, noises):
        """A tensor [n, ...] for images of ws, in chunks; noises: of n images or of 1."""
        parts = []
        for i in range(0, len(ws), _CHUNK):
            self._between()
            feed = {self._ws: ws[i:i + _CHUNK]}
            for placeholder, noise in zip(self._noises, noises):
                feed[placeholder] = noise if len(noise) == 1 else noise[i:i + _CHUNK]
            parts.append(self._session.run(tensor, feed))
        return np.concatenate(parts)

    def images(self, ws, noises=None):
        """ws [n, layers, w] -> float32 [n, res, res, 3]; noises: as in Found, None: random ones."""
        return self._fetch(self._images, ws, self._random_noises([0]) if noises is None else noises)

    def features(self, pictures):
        """uint8 [n, res, res, 3] -> float32 [n, d]."""
        images = pictures.astype(np.float32) / 127.5 - 1
        return np.concatenate([
            self._session.run(self._features, {self._images: images[i:i + _CHUNK]})
            for i in range(0, len(images), _CHUNK)])

    def _random_noises(self, keys):
        """Noise inputs for images with these keys; [] for a network without."""
        return [np.stack([np.random.RandomState([self.config.seed, 61, layer, key]).randn(
            *placeholder.shape.as_list()[1:]).astype(np.float32) for key in keys])
            for layer, placeholder in enumerate(self._noises)]

    def starts(self, targets, on_chunk=lambda count, ws: None):
        """targets [n, d] -> w [n, starts, w]: the random w with the nearest images, nearest first.

        on_chunk: called with the number of w tried since the last call and the best styles so far.
        """
        if not self.config.candidates:
            return np.repeat(self.mean[np.newaxis, np.newaxis], len(targets), 0)
        chosen = np.random.RandomState([self.config.seed, 62]).choice(
            _SAMPLES, min(self.config.candidates, _SAMPLES), replace=False)
        pool = np.concatenate([self.mean[np.newaxis], self.samples[chosen]])
        distances = np.zeros([len(targets), 0])
        for i in range(0, len(pool), _CHUNK):
            ws = self._layered(pool[i:i + _CHUNK])
            found = self._fetch(self._features, ws, self._random_noises([0]))
            distances = np.concatenate([distances, np.stack(
                [np.square(found - target).sum(1) for target in targets])], 1)
            on_chunk(len(ws), self._layered(pool[distances.argmin(1)]))
        nearest = distances.argsort(1, kind='stable')
        return pool[nearest[:, :self.config.searches[0]]]

    def search(self, pictures, starts, on_steps=lambda count, ws: None):
        """uint8 [n, res, res, 3] and starts [n, starts, w] -> Found.

        on_steps: called with the number of steps since the last call and the current styles
        [n, layers, w]; during Gauss-Newton steps, those of one image.
        """
        assert pictures.shape[1:] == (self.res, self.res, 3), pictures.shape
        # Noise depends on the image alone, so the batch size does not change the result.
        keys = [zlib.crc32(np.ascontiguousarray(picture).tobytes()) for picture in pictures]
        targets = self.features(pictures)
        found = self._descend(starts[:, 0], targets, keys, on_steps)
        for start in range(1, starts.shape[1]):
            found = _better(found, self._descend(starts[:, start], targets, keys, on_steps))
        if self._newton_steps(targets):
            self._refine(found, targets, on_steps)
        return found

    def _layered(self, w):
        return w if w.ndim == 3 else np.repeat(w[:, np.newaxis], self.layers, 1)

    def _descend(self, starts, targets, keys, on_steps):
        """Adam from starts [n, w], one for each image -> Found."""
        config, losses, path = self.config, [], []
        w = self._layered(starts) if config.space == 'w+' else starts
        noises = self._random_noises(keys)
        adam = Adam([w] + noises)
        rngs = [np.random.RandomState([config.seed, 63, key]) for key in keys]
        steps = config.searches[1]
        shown = set(np.linspace(0, steps - 1, config.frames).astype(int))
        for step in range(steps):
            self._between()
            t = step / steps
            scale = self.deviation * config.w_noise * max(0, 1 - t / config.noise_until) ** 2
            noisy = w + scale * np.stack([rng.randn(*w.shape[1:]) for rng in rngs])
            feed = dict(zip(self._noises, noises))
            feed.update({self._ws: self._layered(noisy), self._targets: targets})
            loss, gradients = self._session.run([self._losses, self._gradients], feed)
            if w.ndim == 2:
                gradients[0] = gradients[0].sum(1)
            if step in shown:
                path.append(self._layered(w))
            w, *noises = adam.step([w] + noises, gradients, learning_rate(t, config))
            noises = [_standardised(noise) for noise in noises]
            losses.append(loss)
            on_steps(len(w), self._layered(w))
        return Found(self._layered(w), noises, np.array(losses), path)

    def _newton_steps(self, targets):
        """The number of Gauss-Newton steps: 0 in W+ and if the Jacobian would be too large."""
        fits = self.config.space == 'w' and len(self.mean) * targets.shape[1] <= _LARGEST
        return self.config.newton if fits else 0

    def _refine(self, found, targets, on_steps):
        """Damped Gauss-Newton steps (Levenberg 1944, Marquardt 1963), image by image."""
        each = [self._newton(found.ws[i, 0], targets[i], [n[i:i + 1] for n in found.noises],
                             on_steps) for i in range(len(targets))]
        path = np.stack([path for _, path in each], 1)  # [steps, n, w]
        found.losses = np.concatenate([found.losses, np.stack([losses for losses, _ in each], 1)])
        found.path += [self._layered(w) for w in path] if self.config.frames else []
        found.ws = self._layered(path[-1])

    def _newton(self, w, target, noises, on_steps):
        """The steps for one image -> losses [steps] and w [steps, w].

        They are taken in whitened coordinates, so that damping keeps w in the region of random w.
        """
        def draw(points):
            ws = self._layered(self.mean + points @ self._axes.T)
            return self._fetch(self._features, ws, noises)
        u = np.linalg.solve(self._axes.astype(np.float64), w - self.mean).astype(np.float32)
        residual = draw(u[np.newaxis])[0] - target
        damping, losses, path = 0.01, [], []
        for _ in range(self.config.newton):
            probes = draw(u + _EPSILON * np.eye(len(u), dtype=np.float32))
            jacobian = (probes - target - residual) / _EPSILON
            hessian = jacobian @ jacobian.T
            mean = np.float64(np.square(jacobian).sum()) / len(u)
            tried = np.stack([u - np.linalg.solve(
                hessian + damping * factor * mean * np.eye(len(u)), jacobian @ residual)
                for factor in _DAMPINGS]).astype(np.float32)
            residuals = draw(tried) - target
            best = int(np.argmin(np.square(residuals).sum(1)))
            damping *= _DAMPINGS[best]
            if np.square(residuals[best]).sum() < np.square(residual).sum():
                u, residual = tried[best], residuals[best]
            losses.append(np.square(residual).sum())
            path.append(np.float32(self.mean + self._axes @ u))
            on_steps(1, self._layered(path[-1][np.newaxis]))
        return np.array(losses, np.float32), np.stack(path)
