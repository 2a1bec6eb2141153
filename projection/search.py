"""Projection: the styles with which a generator draws a given picture.

The search of StyleGAN2 (Karras et al. 2019, section 5 and appendix D) for StyleGAN v1: Adam on w,
and on noise planes where a network has any. Two things are added: it starts from the random w whose
picture looks most alike, and in W it ends with a few steps of Gauss and Newton, which follow the
narrow valleys that Adam is slow in.
"""

import dataclasses
import zlib

import numpy as np

from dnnlib import tflib
from dnnlib.tflib import tf
from stylegan import networks, snapshots
from projection.config import lrate

_SAMPLES = 10000  # latents that tell the mean and the spread of w
_CHUNK = 16  # pictures drawn at a time
_SHAKE = 0.02  # of a standard deviation: the step of numerical derivatives
_DAMPINGS = (0.1, 1, 10, 100, 1000)  # all tried at once, as factors
_LARGEST = 2 ** 28  # numbers in a Jacobian; a larger one has no Gauss-Newton steps


@dataclasses.dataclass
class Found:
    """The result of a search for n pictures.

    ws [n, layers, w], planes: list of noise planes [n, h, w, 1], losses [steps, n]: squared feature
    distance at each step of Adam and of Newton, path: list of ws [n, layers, w] for a video.
    """
    ws: np.ndarray
    planes: list
    losses: np.ndarray
    path: list


def roughness(plane):
    """How little a plane [n, h, w, 1] looks like noise -> [n].

    The squared correlations with itself shifted by a pixel, over its halved sizes down to 8 px.
    """
    total = 0
    while True:
        for axis in (1, 2):
            shifted = tf.roll(plane, 1, axis)
            total += tf.square(tf.reduce_mean(plane * shifted, [1, 2, 3]))
        if plane.shape.as_list()[1] <= 8:
            return total
        plane = tf.nn.avg_pool(plane, [1, 2, 2, 1], [1, 2, 2, 1], 'VALID')


def standardised(plane):
    """A plane [n, h, w, 1] with mean 0 and variance 1 for each picture."""
    plane = plane - plane.mean((1, 2, 3), keepdims=True)
    spread = np.sqrt(np.square(plane).mean((1, 2, 3), keepdims=True))
    return (plane / np.maximum(spread, 1e-8)).astype(np.float32)


def _named(picture):
    """A number that a picture [h, w, 3] has for itself, whichever others are searched for."""
    return zlib.crc32(np.ascontiguousarray(picture).tobytes())


class _Adam:
    """Adam (Kingma & Ba 2014) on a list of arrays."""

    def __init__(self, arrays):
        self._moments = [(np.zeros_like(a), np.zeros_like(a)) for a in arrays]
        self._step = 0

    def __call__(self, arrays, gradients, rate):
        """The arrays one step further."""
        self._step += 1
        fix1, fix2 = 1 - 0.9 ** self._step, 1 - 0.999 ** self._step
        moved = []
        for array, gradient, (first, second) in zip(arrays, gradients, self._moments):
            first += 0.1 * (gradient - first)
            second += 0.001 * (np.square(gradient) - second)
            moved.append(np.float32(array - rate * first / fix1
                                    / (np.sqrt(second / fix2) + 1e-8)))
        return moved


class Projector:
    """The search for one generator, with its graph and session.

    generator: stylegan.generator.Generator. how: stylegan.projection.Projection.
    features:  function that builds features, see stylegan.perceptual.
    Attributes: res, layers, samples [m, w] of w, their mean [w] and spread.
    """

    def __init__(self, generator, how, features):
        self.how, self.res, self.layers = how, generator.res, generator.layers
        z = np.random.RandomState(123).randn(_SAMPLES, generator.latent_size).astype(np.float32)
        self.samples = generator.w(z)
        self.mean = self.samples.mean(0)
        apart = self.samples - self.mean
        self.spread = float(np.sqrt(np.square(apart).sum(1).mean()))
        values, vectors = np.linalg.eigh(np.cov(apart, rowvar=False))
        self._axes = np.float32(vectors * np.sqrt(np.maximum(values, 1e-6 * values[-1])))  # [w, w]
        self._build(generator, features)

    def _build(self, generator, features):
        variables, network, about = snapshots.load(generator.path)
        sides = [networks.noise_res(layer) for layer in range(self.layers)] * network.use_noise
        with tf.Graph().as_default():
            self._ws = tf.placeholder(tf.float32, [None, self.layers, network.w_width])
            self._planes = [tf.placeholder(tf.float32, [None, side, side, 1]) for side in sides]
            with tf.variable_scope('Gs'):
                self._images = networks.synthesis(
                    self._ws, network, res=self.res, alpha=about['alpha'],
                    planes=lambda layer: self._planes[layer])
            known = tf.global_variables()
            self._seen = features(self._images)
            self._wanted = tf.placeholder(tf.float32, self._seen.shape)
            self._losses = tf.reduce_sum(tf.square(self._seen - self._wanted), 1)
            total = tf.reduce_sum(self._losses + self._penalty())
            self._gradients = tf.gradients(total, [self._ws] + self._planes)
            self._session = tflib.session(self.how.threads)
            tflib.assign(self._session, {v.op.name: variables[v.op.name] for v in known})

    def _penalty(self):
        """What speaks against styles and planes, whatever the picture looks like: [n]."""
        penalty = self.how.noise_weight * sum(roughness(plane) for plane in self._planes)
        if self.how.space == 'w+':
            apart = tf.reduce_sum(tf.square(self._ws - self.mean), 2) / self.spread ** 2
            penalty += self.how.pull * tf.reduce_mean(apart, 1)
        return penalty

    def _fetch(self, tensor, ws, planes):
        """A tensor [n, ...] of pictures with these styles, drawn some at a time.

        planes may be those of one picture for all.
        """
        parts = []
        for i in range(0, len(ws), _CHUNK):
            feed = {self._ws: ws[i:i + _CHUNK]}
            for place, plane in zip(self._planes, planes):
                feed[place] = plane if len(plane) == 1 else plane[i:i + _CHUNK]
            parts.append(self._session.run(tensor, feed))
        return np.concatenate(parts)

    def images(self, ws, planes=None):
        """ws [n, layers, w] -> float32 [n, res, res, 3]; planes: as in Found, by default noise."""
        return self._fetch(self._images, ws, self._noise([0]) if planes is None else planes)

    def features(self, pictures):
        """uint8 [n, res, res, 3] -> float32 [n, d]."""
        images = pictures.astype(np.float32) / 127.5 - 1
        return np.concatenate([self._session.run(self._seen, {self._images: images[i:i + _CHUNK]})
                               for i in range(0, len(images), _CHUNK)])

    def _noise(self, keys):
        """Random planes for pictures of these keys; none for a network without."""
        return [np.stack([np.random.RandomState([self.how.seed, 61, layer, key]).randn(
            *place.shape.as_list()[1:]).astype(np.float32) for key in keys])
            for layer, place in enumerate(self._planes)]

    def starts(self, wanted):
        """wanted [n, d] -> w [n, w]: for each the one of the random w that looks most alike."""
        if not self.how.candidates:
            return np.repeat(self.mean[np.newaxis], len(wanted), 0)
        chosen = np.random.RandomState([self.how.seed, 62]).choice(
            _SAMPLES, min(self.how.candidates, _SAMPLES), replace=False)
        pool = np.concatenate([self.mean[np.newaxis], self.samples[chosen]])
        least, best = np.full(len(wanted), np.inf), np.zeros(len(wanted), int)
        for i in range(0, len(pool), _CHUNK):
            ws = np.repeat(pool[i:i + _CHUNK, np.newaxis], self.layers, 1)
            seen = self._fetch(self._seen, ws, self._noise([0]))
            gaps = np.stack([np.square(seen - row).sum(1) for row in wanted])
            closer = gaps.min(1) < least
            least = np.where(closer, gaps.min(1), least)
            best = np.where(closer, i + gaps.argmin(1), best)
        return pool[best]

    def search(self, pictures, starts, tell=lambda steps: None):
        """uint8 [n, res, res, 3] and starts [n, w] -> Found.

        tell: function that is called with how many steps have been taken since, for a bar.
        """
        assert pictures.shape[1:] == (self.res, self.res, 3), pictures.shape
        keys = [_named(picture) for picture in pictures]
        wanted = self.features(pictures)
        found = Found(self._full(starts), self._noise(keys), [], [])
        self._descend(found, starts, wanted, keys, tell)
        if self._newton_steps(wanted):
            self._sharpen(found, wanted, tell)
        found.losses = np.array(found.losses, np.float32)  # [steps, n]
        return found

    def _full(self, w):
        return w if w.ndim == 3 else np.repeat(w[:, np.newaxis], self.layers, 1)

    def _descend(self, found, starts, wanted, keys, tell):
        """Adam, from the starts; what it finds is left in `found`."""
        how, w = self.how, self._full(starts) if self.how.space == 'w+' else starts
        adam, rngs = _Adam([w] + found.planes), [
            np.random.RandomState([how.seed, 63, key]) for key in keys]
        shown = set(np.linspace(0, how.steps - 1, how.frames).astype(int))
        for step in range(how.steps):
            t = step / how.steps
            size = self.spread * how.w_noise * max(0, 1 - t / how.noise_until) ** 2
            shaken = w + size * np.stack([rng.randn(*w.shape[1:]) for rng in rngs])
            feed = dict(zip(self._planes, found.planes))
            feed.update({self._ws: self._full(shaken), self._wanted: wanted})
            losses, gradients = self._session.run([self._losses, self._gradients], feed)
            if w.ndim == 2:
                gradients[0] = gradients[0].sum(1)
            if step in shown:
                found.path.append(self._full(w))
            w, *found.planes = adam([w] + found.planes, gradients, lrate(t, how))
            found.planes = [standardised(plane) for plane in found.planes]
            found.losses.append(losses)
            tell(len(w))
        found.ws = self._full(w)

    def _newton_steps(self, wanted):
        """How many there are: none in W+, or where the Jacobian would not fit into memory."""
        fits = self.how.space == 'w' and len(self.mean) * wanted.shape[1] <= _LARGEST
        return self.how.newton if fits else 0

    def _sharpen(self, found, wanted, tell):
        """Steps of Gauss and Newton with damping (Levenberg 1944, Marquardt 1963), one by one."""
        each = [self._newton(found.ws[i, 0], wanted[i], [p[i:i + 1] for p in found.planes], tell)
                for i in range(len(wanted))]
        way = np.stack([way for _, way in each], 1)  # [steps, n, w]
        found.losses += list(np.stack([losses for losses, _ in each], 1))
        found.path += [self._full(w) for w in way] if self.how.frames else []
        found.ws = self._full(way[-1])

    def _newton(self, w, wanted, planes, tell):
        """The steps for one picture -> losses [steps] and w [steps, w].

        Done in units of standard deviations along the axes of W, so that damping means: stay where
        random w are.
        """
        def seen(points):
            ws = self._full(self.mean + points @ self._axes.T)
            return self._fetch(self._seen, ws, planes)
        u = np.linalg.solve(self._axes.astype(np.float64), w - self.mean).astype(np.float32)
        gap = seen(u[np.newaxis])[0] - wanted
        damping, losses, way = 0.01, [], []
        for _ in range(self.how.newton):
            slopes = (seen(u + _SHAKE * np.eye(len(u), dtype=np.float32)) - wanted - gap) / _SHAKE
            square, mean = slopes @ slopes.T, np.float64(np.square(slopes).sum()) / len(u)
            moved = np.stack([u - np.linalg.solve(
                square + damping * factor * mean * np.eye(len(u)), slopes @ gap)
                for factor in _DAMPINGS]).astype(np.float32)
            gaps = seen(moved) - wanted
            best = int(np.argmin(np.square(gaps).sum(1)))
            damping *= _DAMPINGS[best]
            if np.square(gaps[best]).sum() < np.square(gap).sum():
                u, gap = moved[best], gaps[best]
            losses.append(np.square(gap).sum())
            way.append(self.mean + self._axes @ u)
            tell(1)
        return np.array(losses), np.stack(way).astype(np.float32)
