"""Starting from other networks: whole, at full size, and drawing what they drew."""

import dataclasses
import pathlib

import numpy as np
import pytest
import toy_stylegan

from dnnlib import images, runs
from dnnlib.files import UserError
from dnnlib.tflib import tf
from stylegan import dataset, generator, preflight, snapshots as weights, train, transfer
from stylegan.released import names
from stylegan.config import FREE, Network, Training
from stylegan.graph import Graph

PICKLE = pathlib.Path(__file__).parents[1] / 'data' / 'stylegan' / 'original_small_clean.pkl'
TRAINING = Training(kimg=0.008, initial=32, minibatch=4, lrate=0.002, tick_kimg=0.004, grid=4,
                    threads=1)


@pytest.fixture(scope='module')
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp('transfer')
    paths = [folder / ('%d.png' % index) for index in range(4)]
    for index, path in enumerate(paths):
        rgb = np.random.RandomState([8, index]).randint(0, 256, [32, 32, 3])
        images.write_png(path, rgb.astype(np.uint8))
    dataset.pack(paths, folder / 'records', 32)
    return dataset.Records(folder / 'records')


@pytest.fixture(scope='module')
def started(tmp_path_factory, records):
    """A short training that starts from the original's pickle -> its run folder."""
    start, network = transfer.read(PICKLE)
    options = dict(dataclasses.asdict(network), **dataclasses.asdict(TRAINING))
    run = runs.Run(tmp_path_factory.mktemp('transfer') / 'run', options, FREE)
    train.train(run, records, network, TRAINING, start)
    return run


def test_the_first_grid_is_what_the_source_draws(started):
    gan = generator.Generator(PICKLE, threads=1)
    z = np.random.RandomState([TRAINING.seed, 2]).randn(4, 32).astype(np.float32)
    pictures = gan.pictures(gan.truncate(gan.w(z), psi=1))
    sheet = images.read_rgb(started.folder / 'fakes-start.png')
    columns = sheet.shape[1] // 32
    for index, picture in enumerate(pictures):
        y, x = index // columns * 32, index % columns * 32
        assert np.array_equal(sheet[y:y + 32, x:x + 32], picture)
    assert images.read_rgb(started.folder / 'fakes-000000.png').std() > 10


def test_training_moves_all_three_networks(started):
    start, _ = transfer.read(PICKLE)
    now, network = transfer.read(started.folder)
    assert network == names.convert(PICKLE)[1]
    left = set(start) - set(now)  # of no use any more, as nothing is left to fade in
    assert not set(now) - set(start)
    assert left == {f'D/{size}/FromRGB/{kind}' for size in ('4x4', '8x8')
                    for kind in ('weight', 'bias')}
    for name in ('G/synthesis/32x32/Conv1/weight', 'Gs/synthesis/32x32/Conv1/weight',
                 'D/32x32/Conv0/weight', 'G/dlatent_avg'):
        gap = np.abs(now[name] - start[name]).max()
        assert 0 < gap < 0.1, name
    assert np.array_equal(now['Gs/synthesis/4x4/Const/noise'],
                          start['Gs/synthesis/4x4/Const/noise'])


def test_a_converted_npz_is_the_same_start(tmp_path):
    variables, network, _ = names.convert(PICKLE)
    weights.save(tmp_path / 'a.npz', variables, network, res=32, alpha=1.0, kimg=None, made={})
    again, same = transfer.read(tmp_path / 'a.npz')
    assert same == network and set(again) == set(variables)
    assert all(np.array_equal(again[name], variables[name]) for name in again)


def test_what_has_not_grown_up_is_refused(tmp_path):
    toy_stylegan.snapshot(tmp_path / 'a.npz', res=8)
    with pytest.raises(UserError, match='a.npz has only grown to 8 of 16 px'):
        transfer.read(tmp_path / 'a.npz')


def test_what_lacks_a_network_is_refused(tmp_path):
    toy_stylegan.snapshot(tmp_path / 'network-snapshot-000001.npz')
    with pytest.raises(UserError, match='lacks D/16x16/FromRGB/weight: to start from it takes G, '):
        transfer.read(tmp_path / 'network-snapshot-000001.npz')
    with pytest.raises(UserError, match='holds no checkpoint; give the folder of a training'):
        transfer.read(tmp_path)
    with pytest.raises(UserError, match='nothing.pkl does not exist; give the path of a run fol'):
        transfer.read(tmp_path / 'nothing.pkl')


def _moved(**knobs):
    """Which variables of D one step moves -> set of scopes such as 8x8/Conv0."""
    network = toy_stylegan.network(resolution=16)
    training = Training(minibatch=4, lrate=0.01, threads=1, **knobs)
    with Graph(network, training, res=16, minibatch=4) as graph:
        graph.start(None)
        variables = tf.trainable_variables('D/')
        before = graph.session.run(variables)
        graph.step(np.zeros([4, 16, 16, 3], np.uint8), alpha=1.0, lrate=0.01, penalise=True)
        after = graph.session.run(variables)
    return {v.op.name.split('/', 1)[1].rsplit('/', 1)[0]
            for v, a, b in zip(variables, before, after) if not np.array_equal(a, b)}


def test_freezing_the_discriminator_from_the_largest_blocks_down():
    free, one, two = _moved(), _moved(freeze_d=1), _moved(freeze_d=2)
    assert {'16x16/FromRGB', '16x16/Conv0', '16x16/Conv1_down', '8x8/Conv0', '4x4/Dense1'} <= free
    assert one == {name for name in free if not name.startswith('16x16/')}
    assert two == {name for name in one if not name.startswith('8x8/')}


def test_a_minibatch_in_parts_trains_and_counts_once():
    network = toy_stylegan.network(resolution=8)
    training = Training(minibatch=8, accumulate=2, lrate=0.01, threads=1)
    with Graph(network, training, res=8, minibatch=8) as graph:
        graph.start(None)
        reals = np.random.RandomState(0).randint(0, 256, [8, 8, 8, 3]).astype(np.uint8)
        losses = graph.step(reals, alpha=1.0, lrate=0.01, penalise=True)
        assert set(losses) == {'d_loss', 'r1', 'g_loss'}
        assert np.isfinite(list(losses.values())).all()
        nimg, = [v for v in tf.global_variables() if v.op.name == 'nimg']
        assert graph.session.run(nimg) == 8
    with pytest.raises(UserError, match='minibatch of 8 cannot be split into 3 equal parts'):
        Graph(network, Training(accumulate=3), res=8, minibatch=8)


@pytest.mark.parametrize('network, training, message', [
    (Network(label_size=3), Training(), 'a network with 3 classes can be drawn from but not'),
    (Network(resolution=16), Training(freeze_d=3), 'has 2 blocks to freeze at 16 px, not 3')])
def test_contradictions_are_refused(network, training, message):
    with pytest.raises(UserError, match=message):
        train.check(network, training)


def test_preflight_measures_the_full_size():
    network = toy_stylegan.network(resolution=16)
    facts = preflight.preflight(network, Training(kimg=40, minibatch=4, tick_kimg=10, grid=4,
                                                  snapshot_ticks=2, threads=1))
    assert (facts['resolution'], facts['minibatch'], facts['parts']) == (16, 4, 1)
    assert facts['seconds_per_kimg'] > 0 and facts['gib'] > 0.05
    assert facts['hours'] == pytest.approx(facts['seconds_per_kimg'] * 40 / 3600)
    with Graph(network, Training(minibatch=4, threads=1), res=16, minibatch=4) as graph:
        sizes = graph.sizes()
    assert facts['sizes'] == sizes and sizes['G'] < sizes['Gs'] < sizes['all']
    grids, snapshots = 4 * 4 * 16 * 16 * 3, 3 * 4 * sizes['Gs']
    assert facts['disk_gib'] * 2 ** 30 == pytest.approx(2 * 4 * sizes['all'] + snapshots + grids)
    assert 'minibatch 4 in 1 part(s)' in preflight.report(facts)
