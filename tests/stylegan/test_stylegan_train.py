"""Training: stopping and resuming changes no byte, also across a growing step; averages, style
mixing and the loop around a step do what the papers say."""

import os
import shutil
import signal

import numpy as np
import oracle_stylegan as oracle
import pytest
import toy_stylegan

from dnnlib import files, images, parallel, runs, tflib
from dnnlib.accumulation import NotFinite
from dnnlib.files import UserError
from dnnlib.tflib import tf
from stylegan import dataset, generator, graph, networks, preflight, schedule, snapshots, train
from stylegan.config import FREE, Network, Training

NETWORK = toy_stylegan.network(resolution=8, fmap_max=4, mapping_layers=1)
# 4 px, then 8 px fading in, then 8 px: 11 steps of 4 images, a checkpoint after each.
TRAINING = Training(kimg=0.044, initial=4, hold_kimg=0.02, fade_kimg=0.02, minibatch=4, lrate=0.01,
                    r1_interval=2, average_kimg=0.01, tick_kimg=0.004, snapshot_ticks=100, grid=4,
                    augment='color', seed=5, threads=1)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('train')


@pytest.fixture(scope='module')
def records(folder):
    paths = [folder / f'{index}.png' for index in range(6)]
    for index, path in enumerate(paths):
        rgb = np.random.RandomState([7, index]).randint(0, 256, [8, 8, 3])
        images.write_png(path, rgb.astype(np.uint8))
    dataset.pack(paths, folder / 'records', 8)
    return dataset.Records(folder / 'records', seed=TRAINING.seed)


class Interrupting:
    """Records that press Ctrl-C when the images at a position are asked for."""

    def __init__(self, records, position):
        self._records, self._position = records, position
        self.resolution, self.count = records.resolution, records.count

    def batch(self, position, count, res, mirror=False, share=None):
        if mirror and position == self._position:
            os.kill(os.getpid(), signal.SIGINT)
        return self._records.batch(position, count, res, mirror, share)


def _run(path, training=TRAINING):
    return runs.Run(path, vars(training), FREE)


def _variables(run):
    """Every variable of the newest checkpoint: name -> array."""
    reader = tf.train.load_checkpoint(run.latest())
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


@pytest.fixture(scope='module')
def unbroken(folder, records):
    run = _run(folder / 'unbroken')
    train.train(run, records, NETWORK, TRAINING)
    return run


@pytest.mark.slow
def test_a_run_that_still_fades_is_no_start(folder, records):
    with pytest.raises(runs.Interrupted):
        run = runs.Run(folder / 'fading', dict(vars(NETWORK), **vars(TRAINING)), FREE)
        train.train(run, Interrupting(records, 28), NETWORK, TRAINING)
    with pytest.raises(UserError, match='only grown to 8 of 8 px, faded in to 60 %'):
        snapshots.load_all(folder / 'fading')


def test_growing_takes_the_new_layers_from_the_start(folder):
    with graph.Graph(NETWORK, TRAINING, res=8, minibatch=4) as whole:
        whole.start(None)
        weights = {name: value + 1 for name, value in whole.snapshot(everything=True).items()}
    with graph.Graph(NETWORK, TRAINING, res=4, minibatch=4) as small:
        small.start(None, weights)
        checkpoint = tf.train.Saver().save(small.session, str(folder / 'small' / 'state'))
    name = 'D/8x8/Conv0/weight'
    for start, expected in ((weights, weights[name]), (None, weights[name] - 1)):
        with graph.Graph(NETWORK, TRAINING, res=8, minibatch=4) as grown:
            grown.start(checkpoint, start)
            own = {v.op.name: v for v in tf.trainable_variables()}
            value, below = grown.session.run([own[name], own['D/4x4/Conv/weight']])
            np.testing.assert_allclose(value, expected, atol=5e-3)  # float16
            np.testing.assert_allclose(below, weights['D/4x4/Conv/weight'], atol=5e-3)


@pytest.mark.parametrize('minibatch, workers', [(1, 2), (9, 2)])
def test_a_minibatch_that_workers_cannot_share_is_refused(monkeypatch, minibatch, workers):
    monkeypatch.setattr(parallel, 'size', workers)
    with pytest.raises(UserError, match=f'a minibatch of {minibatch}, at 4 px, cannot be split'):
        train.check(NETWORK, Training(minibatch=minibatch, initial=4))


def test_what_never_grows_is_refused():
    with pytest.raises(UserError, match='nothing grows; type --initial 8'):
        train.check(NETWORK, Training(minibatch=4, initial=4, hold_kimg=0, fade_kimg=0))


@pytest.mark.slow
def test_stopping_and_resuming_changes_no_byte(folder, records, unbroken):
    with pytest.raises(runs.Interrupted, match=r'saved at 0.0 kimg; run the same command again'):
        train.train(_run(folder / 'broken'), Interrupting(records, 8), NETWORK, TRAINING)
    run = _run(folder / 'broken')
    assert _variables(run)['nimg'] == 12  # the step that was under way is finished first
    train.train(run, records, NETWORK, TRAINING)
    broken, whole = _variables(run), _variables(unbroken)
    assert set(broken) == set(whole) and whole['nimg'] == 44
    different = [name for name in whole if whole[name].tobytes() != broken[name].tobytes()]
    assert not different
    for kept in ('G/synthesis/8x8/Conv0_up/weight', 'D/4x4/Dense1/weight', 'Gs/dlatent_avg',
                 'D/8x8/FromRGB/weight/D_adam_1', 'G/mapping/Dense0/weight/G_adam_1'):
        assert np.abs(whole[kept]).max() > 0
    alike = ('nimg', 'resolution', 'd_loss', 'g_loss', 'r1')
    assert [[line.get(name) for name in alike] for line in run.history()] == [
        [line.get(name) for name in alike] for line in unbroken.history()]


def test_progress_tells_the_story(unbroken):
    history = unbroken.history()
    assert [line['nimg'] for line in history] == list(range(4, 45, 4))
    assert [line['resolution'] for line in history] == [4] * 6 + [8] * 5
    assert [('r1' in line) for line in history] == [True, False] * 5 + [True]
    assert (unbroken.folder / 'reals.png').exists()
    events = b''.join(path.read_bytes() for path in (unbroken.folder / 'tensorboard').iterdir())
    assert b'd_loss' in events and b'fakes' in events


def test_the_sample_grid_is_what_the_snapshot_draws(unbroken):
    gan = generator.Generator(unbroken.folder, threads=1)
    assert gan.path.name == 'network-snapshot-000000.npz' and gan.about['kimg'] == 0.044
    z = np.random.RandomState([TRAINING.seed, 2]).randn(4, 6).astype(np.float32)
    pictures = gan.pictures(gan.truncate(gan.w(z), psi=1))
    sheet = images.read_rgb(unbroken.folder / 'fakes-000000.png')
    columns = sheet.shape[1] // 8
    shown = np.stack([sheet[i // columns * 8:, i % columns * 8:][:8, :8] for i in range(4)])
    assert np.abs(shown.astype(int) - pictures).max() <= 1


def test_the_snapshot_holds_the_averaged_weights(unbroken):
    variables, network, about = snapshots.load(
        unbroken.folder / 'network-snapshot-000000.npz')
    assert network == NETWORK and (about['res'], about['alpha']) == (8, 1)
    last = _variables(unbroken)
    assert variables
    assert {name.split('/')[0] for name in variables} == {'G', 'D', 'Gs'}
    for name, value in variables.items():  # to draw with exactly, to start from nearly
        expected = last[name] if name.startswith('Gs/') else np.float16(last[name])
        assert np.array_equal(value, expected), name


def test_a_training_starts_from_the_last_snapshot_of_another(unbroken):
    start, network = snapshots.load_all(unbroken.folder / 'network-snapshot-000000.npz')
    assert network == NETWORK
    with graph.Graph(network, TRAINING, res=8, minibatch=4) as started:
        started.start(None, start)
        own = {v.op.name: v for v in tf.trainable_variables()}
        for name, value in started.session.run(own).items():
            assert np.array_equal(value, start[name]), name


def test_averages(unbroken):
    """The last two checkpoints are one step apart."""
    last_two = sorted(str(path)[:-len('.index')] for path in
                      (unbroken.folder / 'checkpoint').glob('*.index'))
    before, after = [{name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
                     for reader in map(tf.train.load_checkpoint, last_two)]
    assert after['nimg'] - before['nimg'] == 4
    beta = 0.5 ** (4 / (1000 * TRAINING.average_kimg))
    trained = [name for name in before if name.startswith('G/') and 'Gs/' + name[2:] in before
               and name != 'G/dlatent_avg']
    assert len(trained) > 20
    for name in trained:  # G as it was before the step, since the average lags by one
        averaged = before['Gs/' + name[2:]]
        np.testing.assert_allclose(after['Gs/' + name[2:]],
                                   before[name] + (averaged - before[name]) * beta,
                                   rtol=1e-5, atol=1e-6)
    w_avg = before['G/dlatent_avg']
    means = _mean_styles(before)
    for mean in means:  # once in the discriminator's step, once in the generator's
        w_avg = mean + (w_avg - mean) * TRAINING.w_beta
    np.testing.assert_allclose(after['G/dlatent_avg'], w_avg, atol=1e-6)
    w_avg_d = means[0] + (before['G/dlatent_avg'] - means[0]) * TRAINING.w_beta
    np.testing.assert_allclose(after['Gs/dlatent_avg'], w_avg_d, atol=1e-7)  # a copy from between


def _mean_styles(variables):
    """Mean w of the two batches of latents that the step after `variables` draws."""
    mapping = {name[2:]: value for name, value in variables.items()
               if name.startswith('G/mapping/')}
    with tf.Graph().as_default(), tflib.session(1) as sess:
        zs = [graph.Draws(TRAINING.seed, step, variables['nimg']).normal([4, 6])
              for step in (0, 1)]
        return [oracle.mapping(z.astype(np.float64), mapping, 1).mean(0) for z in sess.run(zs)]


def test_style_mixing_cutoffs_are_uniform():
    network, layers, draws = toy_stylegan.network(), networks.layers(16), 600
    with tf.Graph().as_default(), tflib.session(1) as sess:
        nimg = tf.placeholder(tf.int64, [])
        with tf.variable_scope('', reuse=tf.AUTO_REUSE):
            ws, mean = graph.mixed_styles(graph.Draws(1, 0, nimg), network, count=2, res=16,
                                          mixing=0.75)
        toy_stylegan.randomise(sess)
        counts = np.zeros(layers + 1, int)
        for step in range(draws):
            value, average = sess.run([ws, mean], {nimg: step * 2})
            same = (value == value[:, :1]).all((0, 2))
            cutoff = same.sum()
            assert same[:cutoff].all()  # the first style up to the cutoff, another from there on
            np.testing.assert_allclose(average, value[:, 0].mean(0), atol=1e-5)
            counts[cutoff] += 1
            assert (value[:, cutoff:] == value[:, -1:]).all()  # for the whole batch and all layers
    assert counts[0] == 0
    expected = draws * 0.75 / (layers - 1)  # 90 each
    assert np.abs(counts[1:layers] - expected).max() < 4 * np.sqrt(expected)
    assert abs(counts[layers] - draws * 0.25) < 4 * np.sqrt(draws * 0.25 * 0.75)


def test_draws_differ_by_stream_step_seed_and_position():
    with tf.Graph().as_default(), tflib.session(1) as sess:
        tensors = []
        for seed, step, nimg in ((0, 0, 0), (0, 1, 0), (1, 0, 0), (0, 0, 4), (0, 0, 0)):
            draws = graph.Draws(seed, step, tf.constant(nimg, tf.int64))
            tensors.append([draws.normal([3]), draws.uniform([3]), draws.planes(2)(3)])
        values = sess.run(tensors)
    assert len({value[0].tobytes() for value in values}) == 4
    for first, last in zip(values[0], values[4]):
        assert np.array_equal(first, last)
    assert values[0][2].shape == (2, 8, 8, 1)
    assert values[0][1].min() >= 0 and values[0][1].max() < 1


# --- The loop around a step, with a graph that only counts.

class Counter:
    """Stands in for stylegan.graph.Graph: its only variable is the number of images shown."""

    share = None
    made, failing_at, again, lrates = [], None, [], []  # again: later values of failing_at

    def __init__(self, network, training, *, res, minibatch):
        self.network, self.training, self.res = network, training, res
        self.calls = []
        self.made.append(self)

    def __enter__(self):
        self._graph = tf.Graph().as_default()
        self._graph.__enter__()
        self._nimg = tf.get_variable('nimg', [], tf.int64, initializer=tf.zeros_initializer())
        self._next = tf.assign_add(self._nimg, 4)
        self.session = tflib.session(1)
        self.session.run(tf.global_variables_initializer())
        return self

    def __exit__(self, *error):
        self.session.close()
        self._graph.__exit__(*error)

    def start(self, checkpoint, weights):
        if checkpoint:
            tflib.restore_matching(self.session, checkpoint, tf.global_variables())

    def step(self, reals, *, alpha, lrate, d_lrate, penalise):
        assert reals.shape == (4, self.res, self.res, 3)
        if self.session.run(self._nimg) == Counter.failing_at:
            Counter.failing_at = self.again.pop() if self.again else None
            raise NotFinite
        self.session.run(self._next)
        self.calls.append((round(alpha, 6), penalise))
        self.lrates.append(lrate)
        return {'d_loss': 1.0, 'g_loss': 2.0}

    def reset_optimisers(self):
        self.calls.append('reset')

    def show(self, z, alpha, raw=False):
        return np.zeros([len(z), self.res, self.res, 3], np.uint8)

    def snapshot(self, everything=False):
        return {'Gs/dlatent_avg': np.zeros(6, np.float32)}


@pytest.fixture
def counter(monkeypatch):
    monkeypatch.setattr(train, 'Graph', Counter)
    Counter.made, Counter.failing_at, Counter.again, Counter.lrates = [], None, [], []
    return Counter


def test_growing_resets_the_optimisers_and_penalises_in_turn(
        tmp_path, records, counter, monkeypatch):
    run, saved = _run(tmp_path), []
    save = run.save
    monkeypatch.setattr(run, 'save', lambda sess, nimg: saved.append(nimg) or save(sess, nimg))
    train.train(run, records, NETWORK, TRAINING)
    assert saved == list(range(4, 48, 4))  # each once
    small, large = counter.made
    assert (small.res, large.res) == (4, 8)
    # At 20 images nothing has faded in yet, so that step is still one at 4 px.
    turns = [True, False] * 6
    assert small.calls == [(1, turn) for turn in turns[:6]] + ['reset']
    fading = [0.2, 0.4, 0.6, 0.8]
    assert large.calls == [(alpha, turns[6 + i]) for i, alpha in enumerate(fading)] + [
        'reset', (1, turns[10])]
    assert _variables(run)['nimg'] == 44


def test_a_step_that_is_not_finite_stops_and_keeps_the_checkpoint(tmp_path, records, counter):
    counter.failing_at = 12
    run = _run(tmp_path)
    with pytest.raises(UserError, match=r'not finite and that step was not taken; .* is saved at '
                                        '0.0 kimg: .* --on-nan rollback'):
        train.train(run, records, NETWORK, TRAINING)
    assert _variables(run)['nimg'] == 12
    assert [line['nimg'] for line in run.history()] == [4, 8, 12]
    train.train(run, records, NETWORK, TRAINING)
    assert _variables(run)['nimg'] == 44


def test_the_space_for_the_full_resolution_is_there_before_the_first_step(
        tmp_path, records, counter, monkeypatch):
    needed = 3 * preflight.checkpoint_bytes(NETWORK)
    monkeypatch.setattr(files, 'free', lambda path: needed - 1)
    with pytest.raises(files.DiskFull, match=f'about {needed / 1000:.3g} kB are needed'):
        train.train(_run(tmp_path), records, NETWORK, TRAINING)
    assert counter.made == [] and not list(tmp_path.glob('[!.]*'))
    monkeypatch.setattr(files, 'free', lambda path: needed)
    train.train(_run(tmp_path), records, NETWORK, TRAINING)


ROLLBACK = Training(**dict(vars(TRAINING), on_nan='rollback', tick_kimg=0.008))


def test_a_rollback_goes_on_from_the_checkpoint_with_half_the_rate(tmp_path, records, counter):
    counter.failing_at = 20
    run = _run(tmp_path, ROLLBACK)
    train.train(run, records, NETWORK, ROLLBACK)
    assert _variables(run)['nimg'] == 44
    assert counter.lrates == [0.01] * 5 + [0.005] * 7  # 16 to 20 is taken twice
    assert [line['nimg'] for line in run.history()] == [8, 16, 16, 24, 32, 40, 44]
    assert run.history()[2] == {'nimg': 16, 'lrate_factor': 0.5}
    assert [line.get('lrate') for line in run.history()] == [0.01] * 2 + [None] + [0.005] * 4


def test_a_resumed_run_keeps_the_rate_of_its_rollbacks(tmp_path, records, counter):
    counter.failing_at = 20
    run = _run(tmp_path, ROLLBACK)
    with pytest.raises(runs.Interrupted):
        train.train(run, Interrupting(records, 32), NETWORK, ROLLBACK)
    counter.lrates.clear()
    train.train(_run(tmp_path, ROLLBACK), records, NETWORK, ROLLBACK)
    assert counter.lrates == [0.005] * 2


def test_rollbacks_come_to_an_end(tmp_path, records, counter):
    counter.failing_at, counter.again = 20, [20, 20, 20]
    run = _run(tmp_path, ROLLBACK)
    with pytest.raises(UserError, match=r'saved at 0.0 kimg: start a new run with a lower --lrate'):
        train.train(run, records, NETWORK, ROLLBACK)
    assert _variables(run)['nimg'] == 16 and not counter.again


def test_a_run_whose_checkpoints_are_gone_is_refused(tmp_path, records, counter):
    run = _run(tmp_path)
    train.train(run, records, NETWORK, TRAINING)
    shutil.rmtree(str(tmp_path / 'checkpoint'))
    history = (tmp_path / 'progress.jsonl').read_bytes()
    with pytest.raises(UserError, match=r'no checkpoint in .* is whole; copy'):
        train.train(_run(tmp_path), records, NETWORK, TRAINING)
    (tmp_path / 'checkpoint.json').unlink()
    with pytest.raises(UserError, match='has a history but no checkpoint; copy its checkpoint fol'):
        train.train(_run(tmp_path), records, NETWORK, TRAINING)
    assert (tmp_path / 'progress.jsonl').read_bytes() == history


def test_stopping_saves_and_leaves(tmp_path, records, counter):
    run = _run(tmp_path)
    with pytest.raises(runs.Interrupted):
        train.train(run, Interrupting(records, 32), NETWORK, TRAINING)
    assert _variables(run)['nimg'] == 36
    more = Training(**dict(vars(TRAINING), kimg=0.06, tick_kimg=0.01))  # free to change
    train.train(_run(tmp_path, more), records, NETWORK, more)
    assert _variables(run)['nimg'] == 60


def test_every_tick_measures_both_generators(tmp_path, counter):
    paths = [tmp_path / f'{index}.png' for index in range(20)]
    for index, path in enumerate(paths):
        images.write_png(path, np.random.RandomState(index).randint(0, 256, [8, 8, 3], np.uint8))
    dataset.pack(paths, tmp_path / 'records', 8)
    run = _run(tmp_path / 'run')
    train.train(run, dataset.Records(tmp_path / 'records'), NETWORK, TRAINING)
    for line in run.history():
        assert line['frechet_pixels'] == line['frechet_pixels_raw'] > line['frechet_pixels_floor']
        assert line['detail'] == line['detail_raw'] > 0
    names = {path.name for path in run.folder.iterdir()}
    assert names >= {'frechet-pixels-4.npz', 'frechet-pixels-8.npz', 'frechet_pixels.png',
                     'fakes-000000.png', 'fakes-raw-000000.png'}


def test_a_finished_run_has_nothing_left_to_do(tmp_path, records, counter):
    train.train(_run(tmp_path), records, NETWORK, TRAINING)
    before = (tmp_path / 'progress.jsonl').read_bytes()
    counter.made.clear()
    train.train(_run(tmp_path), records, NETWORK, TRAINING)
    assert not counter.made and (tmp_path / 'progress.jsonl').read_bytes() == before


def test_other_options_in_the_same_folder_are_refused(tmp_path, records, counter):
    train.train(_run(tmp_path), records, NETWORK, TRAINING)
    before = sorted(path.name for path in (tmp_path / 'checkpoint').iterdir())
    with pytest.raises(UserError, match=r'lrate was 0.01, now 0.5; repeat those options'):
        _run(tmp_path, Training(**dict(vars(TRAINING), lrate=0.5)))
    assert sorted(path.name for path in (tmp_path / 'checkpoint').iterdir()) == before


def test_16_bits_are_refused_on_tensorflow_1_before_there_is_a_run(monkeypatch):
    monkeypatch.setattr(tflib, 'cpu_has_bfloat16', lambda: True)
    coarse = Training(**dict(vars(TRAINING), bfloat16=True))
    if tf.__version__.startswith('1.'):
        with pytest.raises(UserError, match='leave --bfloat16 out'):
            train.check(NETWORK, coarse)
    else:
        train.check(NETWORK, coarse)


def test_images_that_are_too_small_are_refused(tmp_path, records):
    with pytest.raises(UserError, match='packed at 8 px; use --resolution 8'):
        train.train(_run(tmp_path), records, toy_stylegan.network(resolution=16), TRAINING)


@pytest.mark.parametrize('network, training, message', [
    (Network(label_size=3), Training(), 'a network with 3 classes can be sampled but not'),
    (Network(resolution=16), Training(freeze_d=3), 'has 2 blocks to freeze at 16 px, not 3')])
def test_contradictions_are_refused(network, training, message):
    with pytest.raises(UserError, match=message):
        train.check(network, training)


def test_the_schedule_of_this_file_grows():
    sizes = [schedule.position(nimg, NETWORK, TRAINING).resolution for nimg in range(0, 44, 4)]
    assert sizes == [4] * 6 + [8] * 5


@pytest.mark.parametrize('wrong, words', [
    ({'minibatch': 6}, 'minibatch of 6, at 8 px, cannot be split into 1 equal .* --minibatch 8,'),
    ({'minibatch': 12, 'accumulate': 2}, 'of 12, at 8 px, .* 2 equal .* use --minibatch 16,'),
    ({'minibatch': 8, 'accumulate': 3}, 'of 8, at 8 px, .* 3 equal part'),
    ({'accumulate': 96}, 'of 128, at 8 px, .* 96 equal part')])
def test_minibatches_are_whole_groups_at_every_resolution(wrong, words):
    network = toy_stylegan.network()
    with pytest.raises(UserError, match=words):
        train.check(network, Training(**wrong))
    for right in ({}, {'minibatch': 3}, {'minibatch': 8, 'accumulate': 4}, {'accumulate': 32}):
        train.check(network, Training(**right))


def test_workers_share_whole_groups_at_every_resolution(monkeypatch):
    monkeypatch.setattr(parallel, 'size', 2)
    train.check(Network(), Training())  # the paper's minibatches grow with the number of GPUs
    with pytest.raises(UserError, match=r'of 4, at 8 px, cannot be split into 2 equal .* groups of '
                                        r'4, 1 for each of 2 workers; use --minibatch 8, or'):
        train.check(Network(), Training(minibatch=4))


def test_the_schedule_is_checked_to_its_end():
    with pytest.raises(UserError, match=r'of 4, at 512 px, .* 8 equal part'):
        train.check(Network(), Training(accumulate=8))
    train.check(Network(), Training(accumulate=8, minibatch=32))
