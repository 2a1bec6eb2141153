"""Snapshots read back exactly, never run anything, and say so when they are damaged."""

import json

import numpy as np
import pytest
import toy_stylegan

from dnnlib.files import UserError
from stylegan import snapshots

ARRAYS = {'Gs/a/b': np.arange(6, dtype=np.float32).reshape(2, 3),
          'Gs/dlatent_avg': np.float32([1, 2])}


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
    with pytest.raises(UserError, match='a.npz is no snapshot'):
        snapshots.load(tmp_path / 'a.npz')
    assert ARRAYS


@pytest.mark.parametrize('content', [b'', b'not a zip\n', b'PK\x03\x04', b'\x80\x04N.'])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / 'a.npz').write_bytes(content)
    with pytest.raises(UserError, match='a.npz is no snapshot'):
        snapshots.load(tmp_path / 'a.npz')


@pytest.mark.parametrize('about', [
    None, 'no json', '[]', '{}', '{"network": 5}',
    json.dumps({'network': {'resolution': 64, 'magic': 1}}),
    json.dumps({'network': {'resolution': 65}})])
def test_archives_without_a_sound_description_are_refused(tmp_path, about):
    np.savez(str(tmp_path / 'a.npz'), **dict(ARRAYS, **(
        {} if about is None else {'about': np.array(about)})))
    with pytest.raises(UserError):
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
    with pytest.raises(UserError, match='a.npz does not exist; give the path of a snapshot'):
        snapshots.load(tmp_path / 'a.npz')


def test_newest_counts_by_kimg(tmp_path):
    assert snapshots.newest(tmp_path) is None
    assert snapshots.newest(tmp_path / 'nowhere') is None
    for kimg in (2, 100, 30):
        (tmp_path / ('network-snapshot-%06d.npz' % kimg)).write_bytes(b'')
    assert snapshots.newest(tmp_path).name == 'network-snapshot-000100.npz'
