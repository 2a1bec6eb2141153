"""Training StyleGAN v1, one graph per resolution: to grow is to resume in a larger graph.

Karras et al. 2018, appendix C; progressive growing as in Karras et al. 2017, appendix A.
"""

from dnnlib import runs, tflib
from dnnlib.accumulation import NotFinite
from dnnlib.files import UserError
from dnnlib.tflib import tf
from stylegan import preflight, schedule
from stylegan.graph import Graph
from stylegan.report import Report

ROLLBACKS = 3  # at most, in one training


def step(graph, records, at, nimg):
    """One training step at position `at` of the schedule -> {name: loss}. Raises NotFinite."""
    training = graph.training
    reals = records.batch(nimg, at.minibatch, at.resolution, mirror=training.mirror)
    return graph.step(reals, alpha=at.alpha, lrate=at.lrate, d_lrate=at.d_lrate,
                      penalise=nimg // at.minibatch % training.r1_interval == 0)


def run_phase(run, graph, records, report, nimg, lrate_factor, start):
    """Train at the graph's resolution until it grows, the training ends, or a stop is requested.

    Returns the number of images shown so far, after a checkpoint. Raises NotFinite.
    """
    training = graph.training

    def position():
        at = schedule.position(nimg, graph.network, training)
        return at._replace(lrate=at.lrate * lrate_factor, d_lrate=at.d_lrate * lrate_factor)
    run.prepare_saving()
    graph.start(run.latest(), start)
    tf.get_default_graph().finalize()
    at = position()
    if not run.latest():
        report.start(graph, at)
    while nimg < training.kimg * 1000 and at.resolution == graph.res and not run.stopping:
        report.step(step(graph, records, at, nimg), at.minibatch)
        before, was, nimg = nimg, at, nimg + at.minibatch
        at = position()
        if schedule.stage(was.lod) != schedule.stage(at.lod):
            graph.reset_optimisers()
        tick, done = int(nimg // (1000 * at.tick_kimg)), nimg >= training.kimg * 1000
        if done or tick != int(before // (1000 * at.tick_kimg)):
            report.tick(graph, was, nimg, tick, done, lrate_factor)
            run.save(graph.session, nimg)
    run.save(graph.session, nimg)
    return nimg


def _check_minibatch(size, parts, group, resolution):
    """Raise UserError unless a minibatch splits into equal parts, and these into equal groups."""
    part = size // parts
    if size % parts or part % min(group, part):
        fitting = -(-size // (parts * group)) * parts * group
        raise UserError(f'a minibatch of {size}, at {resolution} px, cannot be split into {parts} '
                        f'equal part(s) of whole groups of {group}; use --minibatch {fitting}, or '
                        'change --accumulate or --mbstd-group')


def check(network, training):
    """Raise UserError for options that contradict each other or that TensorFlow lacks here."""
    tflib.check_bfloat16(training.bfloat16)
    if network.label_size:
        raise UserError(f'a network with {network.label_size} classes can be sampled but not '
                        'trained here; start from one without labels')
    for level in range(min(training.initial.bit_length() - 1, network.log2), network.log2 + 1):
        _check_minibatch(schedule.minibatch(2 ** level, training), training.accumulate,
                         network.mbstd_group, 2 ** level)
    if training.freeze_d > network.log2 - 2:
        raise UserError(f'the discriminator has {network.log2 - 2} blocks to freeze at '
                        f'{network.resolution} px, not {training.freeze_d}; lower --freeze-d')


def _progress(run):
    """(images shown by the checkpoint, factor of the learning rate left by rollbacks) of a run."""
    checkpoint, history = run.latest(), run.history()
    if checkpoint is None and len(history) > 1:  # the first line comes before the first checkpoint
        raise UserError(f'{run.folder} has a history but no checkpoint; copy its checkpoint folder '
                        'back, or start a new run with --run OTHER_FOLDER')
    nimg = int(tf.train.load_variable(checkpoint, 'nimg')) if checkpoint else 0
    factors = [line.get('lrate_factor', 1.0) for line in history if line.get('nimg', 0) <= nimg]
    return nimg, factors[-1] if factors else 1.0


def _rolled_back(run, report, training, lrate_factor):
    """After a step that is not finite: as `_progress`, with half the learning rate.

    Raises UserError unless --on-nan rollback allows it, which it does ROLLBACKS times.
    """
    nimg, _ = _progress(run)
    lrate_factor /= 2
    if training.on_nan != 'rollback' or lrate_factor < 0.5 ** ROLLBACKS:
        raise UserError(
            f'a loss or gradient is not finite and that step was not taken; {run.folder} is saved '
            f'at {nimg / 1000:.1f} kimg: ' + ('start a new run with a lower --lrate'
            if training.on_nan == 'rollback' else 'continue with half the learning rate by adding '
            '--on-nan rollback, or start a new run with a lower --lrate'))
    report.rollback(nimg, lrate_factor)
    return nimg, lrate_factor


def train(run, records, network, training, start=None):
    """Train until `training.kimg` thousand images were shown, or continue the run in the folder.

    run: dnnlib.runs.Run; records: stylegan.dataset.Records at the network's resolution.
    start: weights of G, D and Gs by variable name, for a new run (see snapshots.load_all).
    Raises runs.Interrupted after Ctrl-C or SIGTERM, once everything is saved.
    """
    check(network, training)
    if records.resolution < network.resolution:
        raise UserError(f'the pictures were packed at {records.resolution} px; use --resolution '
                        f'{records.resolution}')
    with run.writing(), run.stoppable():
        nimg, lrate_factor = _progress(run)
        report = Report(run, records, network, training, nimg)
        if not run.latest():
            report.reals()
        while nimg < training.kimg * 1000 and not run.stopping:
            at = schedule.position(nimg, network, training)
            try:
                with preflight.memory_advice(at), Graph(
                        network, training, res=at.resolution, minibatch=at.minibatch) as graph:
                    nimg = run_phase(run, graph, records, report, nimg, lrate_factor, start)
            except NotFinite:
                nimg, lrate_factor = _rolled_back(run, report, training, lrate_factor)
        report.close()
    if run.stopping:
        raise runs.Interrupted(f'{run.folder} is saved at {nimg / 1000:.1f} kimg; run the same '
                               'command again to resume')
