"""What a person sees of a training: bar, tick lines, sample grids, distances, snapshots."""

import io
import time

import numpy as np
from PIL import Image

from dnnlib import images, progress, runs
from dnnlib.tflib import tf
from stylegan import curve, figures, snapshots
from stylegan.metrics import swd

MEASURED, PATCHES = 1024, 32  # pictures of a distance during training, patches of each and level


class Report:
    """The bar and everything else that a training leaves in its run folder for people."""

    def __init__(self, run, network, training, nimg):
        self._run, self._network, self._training = run, network, training
        columns, rows = figures.fitting(network.resolution)
        count = training.grid or columns * rows
        self._columns = min(columns, int(np.ceil(np.sqrt(count * 7 / 4))))  # a wide screen's shape
        self._z = np.random.RandomState([training.seed, 2]).randn(
            count, network.latent_size).astype(np.float32)
        self._summaries = tf.summary.FileWriter(str(run.folder / 'tensorboard'))
        self._bar = progress.bar(total=int(training.kimg * 1000), initial=nimg, unit='img')
        self._losses, self._since = {}, (nimg, time.time())
        run.cut_history('nimg', nimg)

    def step(self, losses, count):
        """Take note of one step's losses and move the bar by `count` images."""
        for name, value in losses.items():
            self._losses.setdefault(name, []).append(value)
        self._bar.update(count)

    def reals(self, records):
        """reals.png: what the catalogue looks like at full size."""
        pictures = records.batch(0, len(self._z), records.resolution)
        images.write_png(self._run.folder / 'reals.png', images.grid(pictures, self._columns))

    def tick(self, graph, at, nimg, snapshot, distances):
        """Losses, speed, time left and a grid of the same latents; now and then the weights.

        distances: more figures to log, see `distances`.
        """
        seconds = max(time.time() - self._since[1], 1e-9)
        speed = (nimg - self._since[0]) / seconds
        record = {'nimg': nimg, 'kimg': round(nimg / 1000, 3), 'resolution': at.resolution,
                  'lod': round(at.lod, 3), 'minibatch': at.minibatch, 'lrate': at.lrate,
                  'img_per_s': round(speed, 2)}
        record.update({name: round(float(np.mean(values)), 4)
                       for name, values in self._losses.items()})
        record.update(distances)
        self._run.log(**record)
        if distances:
            images.write_png(self._run.folder / 'swd.png', curve.plot(self._run.history()))
        left = max(0, self._training.kimg * 1000 - nimg) / max(speed, 1e-9)
        self._bar.write('kimg %-7.1f res %-4d alpha %.2f  d_loss %.3f  g_loss %.3f  %5.1f img/s  '
                        '%s left at this speed' % (
                            nimg / 1000, at.resolution, at.alpha, record.get('d_loss', 0),
                            record.get('g_loss', 0), speed, self._bar.format_interval(left)))
        self._grid(graph, at, nimg, record)
        if snapshot:
            self.snapshot(graph, at, nimg)
        self._losses, self._since = {}, (nimg, time.time())

    def distances(self, graph, at, records):
        """Sliced Wasserstein distances of fakes to real pictures; none below swd.SMALLEST px."""
        if at.resolution < swd.SMALLEST:
            return {}
        count = min(MEASURED, records.count)
        z = np.random.RandomState([self._training.seed, 3]).randn(
            count, self._network.latent_size).astype(np.float32)
        reals = records.batch(0, count, at.resolution, mirror=self._training.mirror)
        found = swd.distance(reals, graph.show(z, at.alpha), seed=self._training.seed,
                               patches=PATCHES)
        return {name: round(value, 3) for name, value in found.items()}

    def start(self, graph, at):
        """fakes-start.png: what the averaged generator draws before the first step."""
        images.write_png(self._run.folder / 'fakes-start.png', self._sheet(graph, at))

    def _sheet(self, graph, at):
        """The same latents as ever, at full size."""
        return images.grid(images.enlarge(graph.show(self._z, at.alpha),
                                          self._network.resolution // at.resolution), self._columns)

    def _grid(self, graph, at, nimg, record):
        sheet = self._sheet(graph, at)
        images.write_png(self._run.folder / ('fakes-%06d.png' % (nimg // 1000)), sheet)
        png = io.BytesIO()
        Image.fromarray(sheet).save(png, format='PNG')
        values = [tf.Summary.Value(tag=name, simple_value=record[name])
                  for name in record if name not in ('nimg', 'kimg')]
        values.append(tf.Summary.Value(tag='fakes', image=tf.Summary.Image(
            height=sheet.shape[0], width=sheet.shape[1], encoded_image_string=png.getvalue())))
        self._summaries.add_summary(tf.Summary(value=values), nimg)
        self._summaries.flush()

    def snapshot(self, graph, at, nimg):
        """The averaged generator for people: small, and safe to load."""
        snapshots.save(self._run.folder / ('network-snapshot-%06d.npz' % (nimg // 1000)),
                     graph.snapshot(), self._network, res=at.resolution, alpha=at.alpha,
                     kimg=nimg / 1000, made=runs.provenance())

    def close(self):
        """End the bar and the TensorBoard file."""
        self._summaries.close()
        self._bar.close()
