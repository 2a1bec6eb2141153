"""The report of a training run: progress bar and lines, sample grids, charts, TensorBoard."""

import io
import time

import numpy as np
from PIL import Image

from dnnlib import board, images, progress, runs
from dnnlib.chart import COLOURS, LEFT, Chart, ticks
from dnnlib.files import UserError
from dnnlib.tflib import tf
from stylegan import figures, snapshots
from stylegan.metrics import frechet_pixels, swd

SWD_PICTURES, SWD_PATCHES = 1024, 32  # for a distance during training; patches per image, level
CHUNK = 64  # images held at a time
# Charts: {figure that the chart is named after: figures that it shows}.
FIGURES = {'frechet_pixels': ('frechet_pixels', 'frechet_pixels_raw', 'frechet_pixels_floor'),
           'swd': ('swd',)}


def curve(points, names=('swd',)):
    """Line chart of figures over a training run, uint8 [400, 800, 3].

    points: list of dicts as in progress.jsonl, with 'kimg' and the figures, numbers; points that
            lack a figure are skipped, and its line is broken where 'resolution' changes.
    names:  the figures, on a common axis that begins at 0 or below.
    Raises UserError if none of the points has any of the figures.
    """
    series = [[point for point in points if name in point] for name in names]
    values = [point[name] for name, known in zip(names, series) for point in known]
    if not values:
        raise UserError(f"no point of this run has {' or '.join(names)}")
    chart = Chart(ticks(0, max(point['kimg'] for known in series for point in known)),
                  ticks(min(0, *values), max(values)), 'thousand real images shown')
    for index, (name, known, colour) in enumerate(zip(names, series, COLOURS)):
        dots = [(point['kimg'], point[name]) for point in known]
        for start, end, one, two in zip(dots, dots[1:], known, known[1:]):
            if one.get('resolution') == two.get('resolution'):
                chart.line([start, end], colour)
        chart.dots(dots, colour)
        chart.text((LEFT + 150 * index, 10), name, 0, colour)
    return chart.picture()


class Silent:
    """The Report of all workers but the first: it shows and writes nothing."""

    def start(self, *given):
        """Nothing, as all the others."""

    reals = rollback = step = tick = close = start


class Report:
    """The progress bar, and the reports that a training run writes into its folder.

    "raw" are images of G itself, without the moving average, which hides oscillations.
    """

    def __init__(self, run, records, network, training, nimg):
        self._run, self._records = run, records
        self._network, self._training = network, training
        self._references = {}  # of frechet_pixels, by resolution
        columns, rows = figures.fitting(network.resolution)
        count = training.grid or columns * rows
        self._columns = min(columns, int(np.ceil(np.sqrt(count * 7 / 4))))  # a wide screen
        self._z = self._latents(2, count)
        self._board = board.Board(run.folder / 'tensorboard', nimg)
        self._bar = progress.bar(total=int(training.kimg * 1000), initial=nimg, unit='image')
        self._resume(nimg)

    def rollback(self, nimg, lrate_factor):
        """Report that training continues from the checkpoint at `nimg` images."""
        self._bar.write(f'a loss or gradient is not finite: back to {nimg / 1000:.1f} kimg, with '
                        f'the learning rate times {lrate_factor:g}')
        self._resume(nimg)

    def _resume(self, nimg):
        """Continue from `nimg` images; later lines of the history are dropped."""
        self._losses, self._since = {}, (nimg, time.time())
        self._bar.n = nimg
        self._bar.refresh()
        self._run.cut_history('nimg', nimg)

    def step(self, losses, count):
        """Record the losses of a step and advance the bar by `count` images."""
        for name, value in losses.items():
            self._losses.setdefault(name, []).append(value)
        self._bar.update(count)

    def reals(self):
        """Write reals.png: images of the training set at full resolution."""
        pictures = self._records.batch(0, len(self._z), self._network.resolution)
        images.write_png(self._run.folder / 'reals.png', images.grid(pictures, self._columns))

    def tick(self, graph, at, nimg, tick, done):
        """Log losses, speed and figures, print a line, write grids and, at intervals, a snapshot.

        at: the schedule.Position of the last step. tick: its number. done: it is the last one.
        """
        speed = (nimg - self._since[0]) / max(time.time() - self._since[1], 1e-9)
        record = {'nimg': nimg, 'kimg': round(nimg / 1000, 3), 'resolution': at.resolution,
                  'lod': round(at.lod, 3), 'minibatch': at.minibatch, 'lrate': at.lrate,
                  'img_per_s': round(speed, 2)}
        record.update({name: round(float(np.mean(values)), 4)
                       for name, values in self._losses.items()})
        record.update(self._frechet_pixels(graph, at))
        every = self._training.metrics_every
        if every and (done or tick % every == 0):
            record.update(self._swd(graph, at))
        self._run.log(**record)
        for figure, names in FIGURES.items():
            if figure in record:
                images.write_png(self._run.folder / f'{figure}.png',
                                 curve(self._run.history(), names))
        self._print(at, record, speed)
        self._grids(graph, at, nimg, record)
        if done or tick % self._training.snapshot_ticks == 0:
            self._snapshot(graph, at, nimg, done)
        self._losses, self._since = {}, (nimg, time.time())

    def _print(self, at, record, speed):
        """Print the line of a tick above the bar."""
        left = max(0, self._training.kimg * 1000 - record['nimg']) / max(speed, 1e-9)
        distance = ''
        if 'frechet_pixels' in record:
            distance = (f"frechet {record['frechet_pixels']:.3f} (raw "
                        f"{record['frechet_pixels_raw']:.3f}, floor "
                        f"{record['frechet_pixels_floor']:.3f})  ")
        self._bar.write(
            f"kimg {record['kimg']:<7.1f} res {at.resolution:<4d} alpha {at.alpha:.2f}  "
            f"d_loss {record.get('d_loss', 0):.3f}  g_loss {record.get('g_loss', 0):.3f}  "
            f'{distance}{speed:5.1f} images/s  {self._bar.format_interval(left)} left')

    def _latents(self, stream, count):
        """z [count, latent], the same at every tick."""
        return np.random.RandomState([self._training.seed, stream]).randn(
            count, self._network.latent_size).astype(np.float32)

    def _frechet_pixels(self, graph, at):
        """The figures of metrics/frechet_pixels.py for both generators, and the floor."""
        if at.resolution not in self._references:
            self._references[at.resolution] = frechet_pixels.cached(
                self._run.folder, self._records, at.resolution, self._training.mirror)
        reference = self._references[at.resolution]
        if reference is None:
            return {}
        z, record = self._latents(4, reference.count), {}
        for suffix, raw in (('', False), ('_raw', True)):
            chunks = (graph.show(z[i:i + CHUNK], at.alpha, raw) for i in range(0, len(z), CHUNK))
            distance, detail = frechet_pixels.measure(reference, chunks)
            record[f'frechet_pixels{suffix}'] = round(distance, 4)
            record[f'detail{suffix}'] = round(detail, 3)
        return dict(record, frechet_pixels_floor=round(float(reference.floor), 4))

    def _swd(self, graph, at):
        """Sliced Wasserstein distances of fakes to reals; none below swd.SMALLEST px."""
        if at.resolution < swd.SMALLEST:
            return {}
        count = min(SWD_PICTURES, self._records.count)
        reals = self._records.batch(0, count, at.resolution, mirror=self._training.mirror)
        found = swd.distance(reals, graph.show(self._latents(3, count), at.alpha),
                             seed=self._training.seed, patches=SWD_PATCHES)
        return {name: round(value, 3) for name, value in found.items()}

    def start(self, graph, at):
        """Write fakes-start.png: the sample grid before the first step."""
        images.write_png(self._run.folder / 'fakes-start.png', self._sheet(graph, at))

    def _sheet(self, graph, at, raw=False):
        """The sample grid, of the same latents at every tick, at full resolution."""
        return images.grid(images.enlarge(graph.show(self._z, at.alpha, raw),
                                          self._network.resolution // at.resolution), self._columns)

    def _grids(self, graph, at, nimg, record):
        """Write the averaged and the raw sample grid, and both with all figures to TensorBoard."""
        values = [tf.Summary.Value(tag=name, simple_value=record[name])
                  for name in record if name not in ('nimg', 'kimg')]
        for name, raw in (('fakes', False), ('fakes-raw', True)):
            sheet = self._sheet(graph, at, raw)
            images.write_png(self._run.folder / f'{name}-{nimg // 1000:06d}.png', sheet)
            png = io.BytesIO()
            Image.fromarray(sheet).save(png, format='PNG')
            values.append(tf.Summary.Value(tag=name, image=tf.Summary.Image(
                height=sheet.shape[0], width=sheet.shape[1], encoded_image_string=png.getvalue())))
        self._board.add(nimg, values)

    def _snapshot(self, graph, at, nimg, done):
        """Write a snapshot of the averaged generator, at the end of all networks."""
        snapshots.save(self._run.folder / f'network-snapshot-{nimg // 1000:06d}.npz',
                       graph.snapshot(everything=done), self._network, res=at.resolution,
                       alpha=at.alpha, kimg=nimg / 1000, made=runs.provenance())

    def close(self):
        """End the bar and the TensorBoard file."""
        self._board.close()
        self._bar.close()
