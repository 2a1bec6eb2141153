"""Snapshots read back exactly, never run anything, and say so when they are damaged; a training
that starts from other networks first draws what they drew."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest
import toy_stylegan

from dnnlib import images, runs
from dnnlib.files import UserError
from stylegan import dataset, generator, snapshots, train
from stylegan.config import FREE, Training
from stylegan.released import names

ARRAYS = {'Gs/a/b': np.arange(6, dtype=np.float32).reshape(2, 3),
          'Gs/dlatent_avg': np.float32([1, 2])}

PICKLE = pathlib.Path(__file__).parents[1] / 'data' / 'stylegan' / 'original_small_clean.pkl'
TRAINING = Training(kimg=0.008, initial=32, minibatch=4, lrate=0.002, tick_kimg=0.004, grid=4,
                    threads=1)


def _save(path, network=None):
    snapshots.save(path, ARRAYS, network or toy_stylegan.network(), res=8, alpha=0.25, kimg=3.5,
                 made={'command': 'größe'})


def test_round_trip(tmp_path):
    _save(tmp_path / 'a.npz')
    variables, network, about = snapshots.load(tmp_path / 'a.npz')
    assert set(variables) == set(ARRAYS)
    for name, value in ARRAYS.items():
        assert variables[name].dtype == np.float32 and np.array_equal(variables[name], value)
    assert network == toy_stylegan.network()
    assert (about['res'], about['alpha'], about['kimg']) == (8, 0.25, 3.5)
    assert about['made'] == {'command': 'größe'}


def test_half_precision_comes_back_as_float32(tmp_path):
    _save(tmp_path / 'a.npz')
    with np.load(str(tmp_path / 'a.npz'), allow_pickle=False) as whole:
        np.savez(str(tmp_path / 'b.npz'), about=whole['about'],
                 **{name: whole[name].astype(np.float16) for name in ARRAYS})
    variables = snapshots.load(tmp_path / 'b.npz')[0]
    for name, value in ARRAYS.items():
        assert variables[name].dtype == np.float32 and np.array_equal(variables[name], value)


class _Trap:
    """Something whose unpickling would leave a mark."""

    def __reduce__(self):
        return ARRAYS.clear, ()


def test_object_arrays_are_refused_and_not_run(tmp_path):
    np.savez(str(tmp_path / 'a.npz'), about=np.array('{}'), bad=np.array([_Trap()], object))
    with pytest.raises(UserError, match=r'a.npz is no snapshot'):
        snapshots.load(tmp_path / 'a.npz')
    assert ARRAYS


@pytest.mark.parametrize('content', [b'', b'not a zip\n', b'PK\x03\x04', b'\x80\x04N.'])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / 'a.npz').write_bytes(content)
    with pytest.raises(UserError, match=r'a.npz is no snapshot'):
        snapshots.load(tmp_path / 'a.npz')


@pytest.mark.parametrize('about', [
    None, 'no json', '[]', '{}', '{"network": 5}',
    json.dumps({'network': {'resolution': 64, 'magic': 1}}),
    json.dumps({'network': {'resolution': 65}})] + [
        json.dumps(dict({'network': {'resolution': 16}, 'res': 16, 'alpha': 1.0}, **wrong))
        for wrong in ({'res': 'x'}, {'res': 16.0}, {'res': 32}, {'res': 12}, {'res': 2},
                      {'alpha': 'x'}, {'alpha': 1.5}, {'alpha': None})])
def test_archives_without_a_sound_description_are_refused(tmp_path, about):
    np.savez(str(tmp_path / 'a.npz'), **dict(ARRAYS, **(
        {} if about is None else {'about': np.array(about)})))
    with pytest.raises(UserError, match=r'a\.npz'):
        snapshots.load(tmp_path / 'a.npz')


def test_damage_is_noticed(tmp_path):
    _save(tmp_path / 'a.npz')
    whole, random = (tmp_path / 'a.npz').read_bytes(), np.random.RandomState(3)
    noticed = 0
    for _ in range(200):
        data = np.frombuffer(whole, np.uint8).copy()
        data[random.randint(0, len(data), 3)] ^= 1 << random.randint(0, 8)
        (tmp_path / 'b.npz').write_bytes(data[:random.randint(len(data) // 2, 2 * len(data))])
        try:
            variables, _, _ = snapshots.load(tmp_path / 'b.npz')
        except UserError:
            noticed += 1
            continue
        for name in set(variables) & set(ARRAYS):  # the damage hit what does not matter
            assert np.array_equal(variables[name], ARRAYS[name])
    assert noticed > 150


def test_missing_files_are_named(tmp_path):
    with pytest.raises(UserError, match=r'a.npz does not exist; give the path of a snapshot'):
        snapshots.load(tmp_path / 'a.npz')


def test_newest_counts_by_kimg(tmp_path):
    assert snapshots.newest(tmp_path) is None
    assert snapshots.newest(tmp_path / 'nowhere') is None
    for kimg in (2, 100, 30):
        (tmp_path / f'network-snapshot-{kimg:06d}.npz').write_bytes(b'')
    assert snapshots.newest(tmp_path).name == 'network-snapshot-000100.npz'


# --- Starting a training from other networks.

@pytest.fixture(scope='module')
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp('start')
    paths = [folder / f'{index}.png' for index in range(4)]
    for index, path in enumerate(paths):
        rgb = np.random.RandomState([8, index]).randint(0, 256, [32, 32, 3])
        images.write_png(path, rgb.astype(np.uint8))
    dataset.pack(paths, folder / 'records', 32)
    return dataset.Records(folder / 'records')


@pytest.fixture(scope='module')
def started(tmp_path_factory, records):
    """A short training that starts from the original's pickle -> its run folder."""
    start, network = snapshots.load_all(PICKLE)
    options = dict(dataclasses.asdict(network), **dataclasses.asdict(TRAINING))
    run = runs.Run(tmp_path_factory.mktemp('start') / 'run', options, FREE)
    train.train(run, records, network, TRAINING, start)
    return run


@pytest.mark.slow
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


@pytest.mark.slow
def test_training_moves_all_three_networks(started):
    start, _ = snapshots.load_all(PICKLE)
    now, network = snapshots.load_all(started.folder)
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
    snapshots.save(tmp_path / 'a.npz', variables, network, res=32, alpha=1.0, kimg=None, made={})
    again, same = snapshots.load_all(tmp_path / 'a.npz')
    assert same == network and set(again) == set(variables)
    assert all(np.array_equal(again[name], variables[name]) for name in again)


def test_a_start_below_full_resolution_is_refused(tmp_path):
    toy_stylegan.snapshot(tmp_path / 'a.npz', res=8)
    with pytest.raises(UserError, match=r'a.npz has only grown to 8 of 16 px'):
        snapshots.load_all(tmp_path / 'a.npz')


def test_a_start_that_lacks_a_network_is_refused(tmp_path):
    toy_stylegan.snapshot(tmp_path / 'network-snapshot-000001.npz')
    with pytest.raises(UserError, match='lacks D/16x16/FromRGB/weight; a training starts from G, '):
        snapshots.load_all(tmp_path / 'network-snapshot-000001.npz')
    with pytest.raises(UserError, match='holds no checkpoint; give the folder of a training'):
        snapshots.load_all(tmp_path)
    with pytest.raises(UserError, match=r'nothing.pkl does not exist; give the path of a run fol'):
        snapshots.load_all(tmp_path / 'nothing.pkl')
