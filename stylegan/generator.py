"""The averaged generator of a snapshot, for drawing: z -> w -> images.

Truncation and style inputs are plain numpy, so that tools on W need no session of their own.
"""

import pathlib

import numpy as np

from dnnlib import images, progress, tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from stylegan import networks, snapshots

CHUNK = 16   # images drawn at a time: at 512 px memory is the limit, not speed
ALONE = 128  # px from which on CPUs draw one at a time: it fits the caches, and norms are fused
_ROWS = 8  # rows of a product of matrices that are computed at once


def find(path):
    """The snapshot at `path`: an .npz or .pkl file, or the newest one in a run folder.

    Raises UserError.
    """
    path = pathlib.Path(path)
    if path.suffix in ('.npz', '.pkl'):
        return path
    if path.is_file():
        raise UserError(f'{path} is no StyleGAN network; give a run folder, a snapshot (.npz) or a '
                        'released .pkl')
    snapshot = snapshots.newest(path)
    if snapshot is None:
        raise UserError(f'{path} holds no network-snapshot-*.npz; train one with run.py '
                        f'train-stylegan --run {path}, or give a snapshot file')
    return snapshot


class Generator:
    """A loaded snapshot. Raises UserError if it is damaged.

    path: an .npz snapshot, a released .pkl or a run folder. threads: CPU threads, 0 takes all.
    noise: strength of the noise inputs; 1 is as trained, 0 is without (Karras et al. 2018,
    figure 5).
    Attributes: res (pixels), layers (styles per image), latent_size, w_avg [w], about,
    style_matrices (one [w, 2 channels] per layer: its style is w times it, plus a bias).
    """

    def __init__(self, path, threads=0, noise=1.0):
        self.path = find(path)
        variables, network, self.about = snapshots.load(self.path)
        self.res, self.latent_size = self.about['res'], network.latent_size
        self.layers = networks.layers(self.res)
        with tf.Graph().as_default():
            self._z = tf.placeholder(tf.float32, [None, self.latent_size])
            self._batch = 1 if self.res >= ALONE and not tflib.has_gpu() else None
            self._ws = tf.placeholder(tf.float32, [self._batch, self.layers, network.w_width])
            self._labels = tf.placeholder(tf.float32, [None, network.label_size])
            with tf.variable_scope('Gs'):
                self._w = networks.mapping(self._z, network, self._labels)
                self._rgb = networks.synthesis(
                    self._ws, network, res=self.res, alpha=self.about['alpha'],
                    planes=lambda layer: networks.stored_noise(layer) * noise)
            self._session = tflib.session(threads)
            shapes = {v.op.name: v.shape.as_list() for v in tf.global_variables()}
            snapshots.check_shapes(self.path, variables,
                                   dict(shapes, **{'Gs/dlatent_avg': [network.w_width]}))
            tflib.assign(self._session, {name: variables[name] for name in shapes})
            self.w_avg = variables['Gs/dlatent_avg']
            self.style_matrices = [variables[name] for name in networks.style_names(self.res)]

    def w(self, z, labels=None):
        """z [n, latent] -> w [n, w], untruncated. labels: [n, classes], by default no class.

        The bits of a row do not depend on how many others there are: rows beyond a multiple of
        _ROWS would be computed in another order, so that never happens.
        """
        if labels is None:
            labels = np.zeros([len(z), self._labels.shape[1]], np.float32)
        more = [(0, -len(z) % _ROWS), (0, 0)]
        return self._session.run(self._w, {
            self._z: np.pad(z, more, 'edge'), self._labels: np.pad(labels, more, 'edge')})[:len(z)]

    def truncate(self, w, psi=0.7, cutoff=8):
        """The truncation trick: w [n, w] or ws [n, layers, w] -> ws, moved towards the average w.

        Layers below `cutoff` keep the fraction `psi` of their distance from it: the smaller psi,
        the more typical and the less varied the images (Karras et al. 2018, appendix B).
        """
        ws = w if w.ndim == 3 else np.repeat(w[:, np.newaxis], self.layers, 1)
        scale = np.where(np.arange(self.layers) < cutoff, psi, 1).astype(np.float32)[:, np.newaxis]
        # Where nothing is truncated w stays as it is, to the last bit.
        return np.where(scale == 1, ws, self.w_avg + (ws - self.w_avg) * scale)

    def images(self, ws):
        """ws [n, layers, w] -> float32 [n, res, res, 3], about [-1, 1], with the stored noise.

        What takes long shows a progress bar.
        """
        count = self._batch or CHUNK
        return np.concatenate([
            self._session.run(self._rgb, {self._ws: ws[i:i + count]}) for i in progress.bar(
                range(0, len(ws), count), what='drawing', unit='batch', leave=False, delay=2)])

    def pictures(self, ws):
        """The same as uint8 [n, res, res, 3]."""
        return images.to_rgb(self.images(ws))

    def seeded(self, seeds):
        """z [n, latent] of a list of seeds, modulo 2^32: a seed always gives the same image."""
        return np.stack([np.random.RandomState(seed % 2 ** 32).randn(self.latent_size)
                         for seed in seeds]).astype(np.float32)
