"""Training StyleGAN v1, one graph per resolution: to grow is to resume in a larger graph.

Karras et al. 2018, appendix C; progressive growing as in Karras et al. 2017, appendix A.
"""

from dnnlib import parallel, rollback, runs, tflib
from dnnlib.accumulation import NotFinite
from dnnlib.files import UserError
from dnnlib.tflib import tf
from stylegan import preflight, schedule
from stylegan.graph import Graph
from stylegan.report import Report, Silent


def step(graph, records, at, nimg):
    """One training step at position `at` of the schedule -> {name: loss}. Raises NotFinite."""
    training = graph.training
    reals = records.batch(nimg, at.minibatch, at.resolution, training.mirror, graph.share)
    return graph.step(reals, alpha=at.alpha, lrate=at.lrate, d_lrate=at.d_lrate,
                      penalise=nimg // at.minibatch % training.r1_interval == 0)


def run_phase(run, graph, records, report, nimg, lrate_factor, start):
    """Train at the graph's resolution until it grows, the training ends, or a stop is requested.

    Returns the number of images shown so far, after a checkpoint. Raises NotFinite.
    """
    training = graph.training

    def position():
        at = schedule.position(nimg, graph.network, training, parallel.size)
        return at._replace(lrate=at.lrate * lrate_factor, d_lrate=at.d_lrate * lrate_factor)
    run.prepare_saving()
    graph.start(run.latest(), start)
    tf.get_default_graph().finalize()
    at, saved = position(), None
    if not run.latest():
        report.start(graph, at)
    while nimg < training.kimg * 1000 and at.resolution == graph.res and not run.stopping:
        report.step(step(graph, records, at, nimg), at.minibatch)
        run.agree_on_stopping(graph.session)
        before, was, nimg = nimg, at, nimg + at.minibatch
        at = position()
        if schedule.stage(was.lod) != schedule.stage(at.lod):
            graph.reset_optimisers()
        tick, done = int(nimg // (1000 * at.tick_kimg)), nimg >= training.kimg * 1000
        if done or tick != int(before // (1000 * at.tick_kimg)):
            report.tick(graph, was, nimg, tick, done)
            run.save(graph.session, nimg)
            saved = nimg
    if saved != nimg:
        run.save(graph.session, nimg)
    return nimg


def _check_minibatch(size, parts, workers, group, resolution):
    """Raise UserError unless a minibatch splits into equal parts, these into equal shares for the
    workers, and these into whole groups."""
    part = size // parts
    if not part or size % parts or part % min(group, part) or part // min(group, part) % workers:
        split = parts * workers
        fitting = -(-size // (split * group)) * split * group
        each = f', {parts} for each of {workers} workers' if workers > 1 else ''
        raise UserError(f'a minibatch of {size}, at {resolution} px, cannot be split into {split} '
                        f'equal part(s) of whole groups of {group}{each}; use --minibatch '
                        f'{fitting}, or change --accumulate or --mbstd-group')


def check(network, training):
    """Raise UserError for options that contradict each other or that TensorFlow lacks here."""
    tflib.check_bfloat16(training.bfloat16)
    if network.label_size:
        raise UserError(f'a network with {network.label_size} classes can be sampled but not '
                        'trained here; start from one without labels')
    for level in range(min(training.initial.bit_length() - 1, network.log2), network.log2 + 1):
        size = training.minibatch or schedule.minibatch(2 ** level, training, parallel.size)
        _check_minibatch(size, training.accumulate, parallel.size, network.mbstd_group, 2 ** level)
    if training.initial < network.resolution and not training.hold_kimg + training.fade_kimg:
        raise UserError(f'with --hold-kimg 0 and --fade-kimg 0 nothing grows; type --initial '
                        f'{network.resolution}, or leave one of them out')
    if training.freeze_d > network.log2 - 2:
        raise UserError(f'the discriminator has {network.log2 - 2} blocks to freeze at '
                        f'{network.resolution} px, not {training.freeze_d}; lower --freeze-d')


def _progress(run):
    """The images that a run's checkpoint has been shown. Raises UserError if it is missing."""
    checkpoint, ticks = run.latest(), [line for line in run.history() if line.get('nimg')]
    if checkpoint is None and len(ticks) > 1:  # the first one comes before the first checkpoint
        run.refuse_lost()
    return parallel.from_first(
        int(tf.train.load_variable(checkpoint, 'nimg')) if checkpoint else 0)


def train(run, records, network, training, start=None):
    """Train until `training.kimg` thousand images were shown, or continue the run in the folder.

    run: dnnlib.runs.Run; records: stylegan.dataset.Records at the network's resolution.
    start: weights of G, D and Gs by variable name, for a new run (see snapshots.load_all).
    Raises runs.Interrupted after Ctrl-C or SIGTERM, once everything is saved.
    """
    check(network, training)
    if records.resolution < network.resolution:
        raise UserError(f'the images were packed at {records.resolution} px; use --resolution '
                        f'{records.resolution}')
    with run.writing(), run.stoppable():
        nimg = _progress(run)
        run.need_space(preflight.checkpoint_bytes(network))
        lrate_factor = rollback.lrate_factor(run, 'nimg', nimg)
        report = Silent() if parallel.rank else Report(run, records, network, training, nimg)
        if not run.latest():
            report.reals()
        while nimg < training.kimg * 1000 and not run.stopping:
            at = schedule.position(nimg, network, training, parallel.size)
            try:
                with preflight.memory_advice(at), Graph(
                        network, training, res=at.resolution, minibatch=at.minibatch) as graph:
                    nimg = run_phase(run, graph, records, report, nimg, lrate_factor, start)
            except NotFinite:
                nimg = _progress(run)
                lrate_factor = rollback.roll_back(
                    run, training.on_nan, 'nimg', nimg, saved_at=f'{nimg / 1000:.1f} kimg',
                    flag='--lrate')
                report.rollback(nimg, lrate_factor)
        report.close()
    if run.stopping:
        raise runs.Interrupted(f'{run.folder} is saved at {nimg / 1000:.1f} kimg; run the same '
                               'command again to resume')
