"""What people see of a training: progress bar and lines, sample grids, curve, TensorBoard."""

import io
import time

import numpy as np
from PIL import Image

from dnnlib import images, progress, runs
from dnnlib.chart import COLOURS, Chart, LEFT, ticks
from dnnlib.files import UserError
from dnnlib.tflib import tf
from stylegan import figures, snapshots
from stylegan.metrics import swd

SWD_PICTURES, SWD_PATCHES = 1024, 32  # for a distance during training; patches per picture, level


def curve(points, names=('swd',)):
    """Figures over the length of a training, as a line chart uint8 [400, 800, 3].

    points: list of dicts as in progress.jsonl, with 'kimg' and the figures, numbers; points that
            lack a figure are skipped, and its line is broken where 'resolution' changes.
    names:  one or two figures, drawn on a common axis that begins at 0 or below.
    Raises UserError if none of the points has any of the figures.
    """
    series = [[point for point in points if name in point] for name in names]
    values = [point[name] for name, known in zip(names, series) for point in known]
    if not values:
        raise UserError(f"no point of this training has {' or '.join(names)}")
    chart = Chart(ticks(0, max(point['kimg'] for known in series for point in known)),
                  ticks(min(0, min(values)), max(values)), 'thousand real pictures shown')
    for index, (name, known, colour) in enumerate(zip(names, series, COLOURS)):
        dots = [(point['kimg'], point[name]) for point in known]
        for start, end, one, two in zip(dots, dots[1:], known, known[1:]):
            if one.get('resolution') == two.get('resolution'):
                chart.line([start, end], colour)
        chart.dots(dots, colour)
        chart.text((LEFT + 150 * index, 10), name, 0, colour)
    return chart.picture()


class Report:
    """The progress bar and everything else that a training leaves in its run folder for people."""

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
        """Note one step's losses and advance the bar by `count` images."""
        for name, value in losses.items():
            self._losses.setdefault(name, []).append(value)
        self._bar.update(count)

    def reals(self, records):
        """reals.png: pictures of the training set at full resolution."""
        pictures = records.batch(0, len(self._z), records.resolution)
        images.write_png(self._run.folder / 'reals.png', images.grid(pictures, self._columns))

    def tick(self, graph, at, nimg, snapshot, distances):
        """Log losses and speed, print a line, draw the sample grid; write a snapshot if told to.

        at: the schedule.Position of the last step. distances: more figures to log, see `distances`.
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
            images.write_png(self._run.folder / 'swd.png', curve(self._run.history()))
        left = max(0, self._training.kimg * 1000 - nimg) / max(speed, 1e-9)
        self._bar.write(
            f'kimg {nimg / 1000:<7.1f} res {at.resolution:<4d} alpha {at.alpha:.2f}  '
            f"d_loss {record.get('d_loss', 0):.3f}  g_loss {record.get('g_loss', 0):.3f}  "
            f'{speed:5.1f} img/s  {self._bar.format_interval(left)} left at this speed')
        self._grid(graph, at, nimg, record)
        if snapshot:
            self.snapshot(graph, at, nimg)
        self._losses, self._since = {}, (nimg, time.time())

    def distances(self, graph, at, records):
        """Sliced Wasserstein distances of fakes to reals; none below swd.SMALLEST px."""
        if at.resolution < swd.SMALLEST:
            return {}
        count = min(SWD_PICTURES, records.count)
        z = np.random.RandomState([self._training.seed, 3]).randn(
            count, self._network.latent_size).astype(np.float32)
        reals = records.batch(0, count, at.resolution, mirror=self._training.mirror)
        found = swd.distance(reals, graph.show(z, at.alpha), seed=self._training.seed,
                             patches=SWD_PATCHES)
        return {name: round(value, 3) for name, value in found.items()}

    def start(self, graph, at):
        """fakes-start.png: what the averaged generator draws before the first step."""
        images.write_png(self._run.folder / 'fakes-start.png', self._sheet(graph, at))

    def _sheet(self, graph, at):
        """The sample grid, of the same latents at every tick, at full resolution."""
        return images.grid(images.enlarge(graph.show(self._z, at.alpha),
                                          self._network.resolution // at.resolution), self._columns)

    def _grid(self, graph, at, nimg, record):
        sheet = self._sheet(graph, at)
        images.write_png(self._run.folder / f'fakes-{nimg // 1000:06d}.png', sheet)
        png = io.BytesIO()
        Image.fromarray(sheet).save(png, format='PNG')
        values = [tf.Summary.Value(tag=name, simple_value=record[name])
                  for name in record if name not in ('nimg', 'kimg')]
        values.append(tf.Summary.Value(tag='fakes', image=tf.Summary.Image(
            height=sheet.shape[0], width=sheet.shape[1], encoded_image_string=png.getvalue())))
        self._summaries.add_summary(tf.Summary(value=values), nimg)
        self._summaries.flush()

    def snapshot(self, graph, at, nimg):
        """Write the averaged generator, for drawing: small, and safe to load."""
        snapshots.save(self._run.folder / f'network-snapshot-{nimg // 1000:06d}.npz',
                       graph.snapshot(), self._network, res=at.resolution, alpha=at.alpha,
                       kimg=nimg / 1000, made=runs.provenance())

    def close(self):
        """End the bar and the TensorBoard file."""
        self._summaries.close()
        self._bar.close()
