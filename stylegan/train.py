"""Training StyleGAN v1: one graph per resolution, so that growing is resuming.

Karras et al. 2018, appendix C; progressive growing as in Karras et al. 2017, appendix A.
"""

import io
import time

import numpy as np
from PIL import Image

from dnnlib import images, progress, runs
from dnnlib.files import UserError
from dnnlib.tflib import tf
from stylegan import schedule, weights
from stylegan.graph import Graph


class Report:
    """What a person sees of a training: bar, tick lines, sample grids, snapshots, TensorBoard."""

    def __init__(self, run, network, training, nimg):
        self._run, self._network, self._training = run, network, training
        self._z = np.random.RandomState([training.seed, 2]).randn(
            training.grid, network.latent_size).astype(np.float32)
        self._columns = int(np.ceil(np.sqrt(training.grid * 7 / 4)))  # a wide screen's shape
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
        pictures = records.batch(0, self._training.grid, records.resolution)
        images.write_png(self._run.folder / 'reals.png', images.grid(pictures, self._columns))

    def tick(self, graph, at, nimg, snapshot):
        """Losses, speed, time left and a grid of the same latents; now and then the weights."""
        seconds = max(time.time() - self._since[1], 1e-9)
        speed = (nimg - self._since[0]) / seconds
        record = {'nimg': nimg, 'kimg': round(nimg / 1000, 3), 'resolution': at.resolution,
                  'lod': round(at.lod, 3), 'minibatch': at.minibatch, 'lrate': at.lrate,
                  'img_per_s': round(speed, 2)}
        record.update({name: round(float(np.mean(values)), 4)
                       for name, values in self._losses.items()})
        self._run.log(**record)
        left = max(0, self._training.kimg * 1000 - nimg) / max(speed, 1e-9)
        self._bar.write('kimg %-7.1f res %-4d alpha %.2f  d_loss %.3f  g_loss %.3f  %5.1f img/s  '
                        '%s left at this speed' % (
                            nimg / 1000, at.resolution, at.alpha, record.get('d_loss', 0),
                            record.get('g_loss', 0), speed, self._bar.format_interval(left)))
        self._grid(graph, at, nimg, record)
        if snapshot:
            self.snapshot(graph, at, nimg)
        self._losses, self._since = {}, (nimg, time.time())

    def _grid(self, graph, at, nimg, record):
        pictures = images.enlarge(graph.show(self._z, at.alpha),
                                  self._network.resolution // at.resolution)
        sheet = images.grid(pictures, self._columns)
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
        weights.save(self._run.folder / ('network-snapshot-%06d.npz' % (nimg // 1000)),
                     graph.snapshot(), self._network, res=at.resolution, alpha=at.alpha,
                     kimg=nimg / 1000, made=runs.provenance())

    def close(self):
        """End the bar and the TensorBoard file."""
        self._summaries.close()
        self._bar.close()


def step(graph, records, at, nimg):
    """One training step at position `at` of the schedule -> dict of losses.

    Raises UserError if a loss is not finite; nothing is saved after that.
    """
    training = graph.training
    reals = records.batch(nimg, at.minibatch, at.resolution, mirror=training.mirror)
    losses = graph.step(reals, alpha=at.alpha, lrate=at.lrate,
                        penalise=nimg // at.minibatch % training.r1_interval == 0)
    for name, value in losses.items():
        if not np.isfinite(value):
            raise UserError('%s became %s after %d images; the last checkpoint is whole, go on '
                            'from it with a lower --lrate in a new run' % (name, value, nimg))
    return losses


def run_phase(run, graph, records, report, nimg):
    """Train at the graph's resolution until it is done, or all is, or a stop is asked for.

    Returns the number of images shown by then; the checkpoint written at the end holds it all.
    """
    training = graph.training
    run.prepare_saving()
    graph.start(run.latest())
    tf.get_default_graph().finalize()
    at = schedule.position(nimg, graph.network, training)
    while nimg < training.kimg * 1000 and at.resolution == graph.res and not run.stopping:
        report.step(step(graph, records, at, nimg), at.minibatch)
        before, was, nimg = nimg, at, nimg + at.minibatch
        at = schedule.position(nimg, graph.network, training)
        if schedule.stage(was.lod) != schedule.stage(at.lod):
            graph.reset_optimisers()
        tick = int(nimg // (1000 * training.tick_kimg))
        done = nimg >= training.kimg * 1000
        if done or tick != int(before // (1000 * training.tick_kimg)):
            report.tick(graph, was, nimg, snapshot=done or tick % training.snapshot_ticks == 0)
            run.save(graph.session, nimg)
    run.save(graph.session, nimg)
    return nimg


def train(run, records, network, training):
    """Train until `training.kimg` thousand images were shown; continue what the run folder holds.

    run: dnnlib.runs.Run; records: stylegan.dataset.Records at the network's resolution.
    Raises runs.Interrupted after Ctrl-C or SIGTERM, when everything has been saved.
    """
    if records.resolution < network.resolution:
        raise UserError('the pictures were packed at %d px; use --resolution %d' % (
            records.resolution, records.resolution))
    with run.stoppable():
        checkpoint = run.latest()
        nimg = int(tf.train.load_variable(checkpoint, 'nimg')) if checkpoint else 0
        report = Report(run, network, training, nimg)
        if not checkpoint:
            report.reals(records)
        while nimg < training.kimg * 1000 and not run.stopping:
            at = schedule.position(nimg, network, training)
            with Graph(network, training, res=at.resolution, minibatch=at.minibatch) as graph:
                nimg = run_phase(run, graph, records, report, nimg)
        report.close()
    if run.stopping:
        raise runs.Interrupted('%s is saved at %.1f kimg; run the same command again to go on'
                               % (run.folder, nimg / 1000))
