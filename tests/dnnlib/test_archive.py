"""An `.npz` gives back what was put in, runs nothing, and whatever is wrong with it is one line."""

import io
import re
import zipfile

import numpy as np
import pytest

from dnnlib import archive
from dnnlib.files import UserError

ARRAYS = {'Gs/a': np.arange(6, dtype=np.float16).reshape(2, 3), 'names': np.array(['é', 'b']),
          'count': np.array(7)}


def _read(path, names=None, also=lambda arrays: None):
    with archive.reading(path, 'test file', 'copy it again', names) as arrays:
        also(arrays)
    return arrays


def _refused(path, reason, also=lambda arrays: None):
    message = f'{path} is no test file, or damaged ({reason}); copy it again'
    with pytest.raises(UserError, match='^' + re.escape(message) + '$'):
        _read(path, also=also)


@pytest.mark.parametrize('packed', [True, False])
def test_what_is_written_is_read(tmp_path, packed):
    path = tmp_path / 'new' / 'a.npz'
    archive.write(path, ARRAYS, {'by': 'größe'}, packed=packed)
    found = []
    arrays = _read(path, also=lambda arrays: found.append(archive.about(arrays)))
    assert found == [{'by': 'größe'}] and set(arrays) == set(ARRAYS)
    for name, value in ARRAYS.items():
        assert arrays[name].dtype == value.dtype and np.array_equal(arrays[name], value)
    with zipfile.ZipFile(str(path)) as whole:
        kinds = {info.compress_type for info in whole.infolist()}
    assert kinds == {zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED}


def test_numpy_reads_and_writes_the_same_files(tmp_path):
    archive.write(tmp_path / 'a.npz', {'w': [[1.5, 2]], 'names': ['a', 'bc']})
    with np.load(str(tmp_path / 'a.npz'), allow_pickle=False) as whole:
        assert whole.files == ['w', 'names'] and whole['w'].dtype == np.float64
    np.savez(str(tmp_path / 'b.npz'), np.asfortranarray(ARRAYS['Gs/a']))
    arrays = archive.read(tmp_path / 'b.npz', 'test file', 'copy it again')
    assert list(arrays) == ['arr_0'] and np.array_equal(arrays['arr_0'], ARRAYS['Gs/a'])


class _Trap:
    """Something whose unpickling would leave a mark."""

    def __reduce__(self):
        return ARRAYS.clear, ()


def test_objects_are_refused_and_not_run_and_those_not_asked_for_not_looked_at(tmp_path):
    np.savez(str(tmp_path / 'a.npz'), w=np.zeros(2), bad=np.array([_Trap()], object))
    _refused(tmp_path / 'a.npz', "'bad' in it is no plain array")
    assert ARRAYS and list(_read(tmp_path / 'a.npz', names=('w', 'ws'))) == ['w']


def _content(kind):
    stream = io.BytesIO()
    if kind == 'array':
        np.save(stream, np.arange(3))
    else:
        np.savez(stream, **ARRAYS)
    data = stream.getvalue()
    if kind == 'changed':
        place = data.index(b'\x93NUMPY') + 128
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1:]
    return data[:len(data) // 2] if kind == 'truncated' else data


@pytest.mark.parametrize('data, reason', [
    (b'', 'it is empty'), (b'not an archive\n', 'it is no .npz'), (b'\x80\x04N.', 'it is no .npz'),
    (_content('array'), 'it is no .npz'), (b'PK\x03\x04', 'it breaks off'),
    (_content('truncated'), 'it breaks off'), (_content('changed'), "'Gs/a' in it is damaged")])
def test_other_files_and_damaged_ones_are_refused(tmp_path, data, reason):
    (tmp_path / 'a.npz').write_bytes(data)
    _refused(tmp_path / 'a.npz', reason)


def test_an_archive_of_other_things_is_refused(tmp_path):
    with zipfile.ZipFile(str(tmp_path / 'a.npz'), 'w') as whole:
        whole.writestr('page.html', '<html>')
    _refused(tmp_path / 'a.npz', "'page.html' in it is no plain array")


def test_damage_is_noticed_wherever_it_is(tmp_path):
    archive.write(tmp_path / 'a.npz', ARRAYS, {'by': 'a test'})
    whole, random = (tmp_path / 'a.npz').read_bytes(), np.random.RandomState(3)
    for _ in range(300):
        data = np.frombuffer(whole, np.uint8).copy()
        data[random.randint(0, len(data), 3)] ^= 1 << random.randint(0, 8)
        (tmp_path / 'b.npz').write_bytes(data[:random.randint(len(data) // 2, 2 * len(data))])
        try:
            arrays = _read(tmp_path / 'b.npz', also=archive.about)
        except UserError as error:
            assert '\n' not in str(error)
            continue
        for name in set(arrays) & set(ARRAYS):  # the damage hit what does not matter
            assert np.array_equal(arrays[name], ARRAYS[name])


def _raising(error):
    def also(arrays):
        raise error
    return also


@pytest.mark.parametrize('also, reason', [
    (lambda arrays: arrays['ws'], "it has no 'ws'"),
    (archive.about, "it has no 'about'"),
    (lambda arrays: archive.about({'about': np.array('{')}), "its 'about' is no JSON text"),
    (lambda arrays: arrays['count']['network'], 'its contents have another form'),
    (_raising(ValueError('it is a hat\nand a coat')), 'it is a hat'),
    (_raising(UserError('unknown option')), 'unknown option')])
def test_what_the_reader_misses_counts_as_damage(tmp_path, also, reason):
    archive.write(tmp_path / 'a.npz', ARRAYS)
    _refused(tmp_path / 'a.npz', reason, also)


def test_a_missing_file_is_named_and_one_that_may_not_be_read_is_not_called_damaged(tmp_path):
    with pytest.raises(UserError, match=r'a.npz does not exist; copy it again'):
        _read(tmp_path / 'a.npz')
    (tmp_path / 'b.npz').mkdir()
    with pytest.raises(UserError, match=r'b.npz is not a file; copy it again'):
        _read(tmp_path / 'b.npz')


def _packed(path, content, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(str(path), 'w', method) as whole:
        whole.writestr('a.npy', content)


def _npy(shape='(3,)', descr="'<f4'", data=b''):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b'\x93NUMPY\x01\x00' + len(header).to_bytes(2, 'little') + header + data


LIES = "'a' in it does not hold the numbers that it claims to"
NO_ARRAY = "'a' in it is no plain array"


@pytest.mark.parametrize('content, reason', [
    (_npy('(1000000000000,)'), LIES), (_npy('(1000000, 1000000)'), LIES),
    (_npy('(1000000000000, 0)'), LIES), (_npy('(1000000000000,)', "'<U0'"), LIES),
    (_npy('(3,)', data=b'.' * 11), LIES), (_npy('(3,)', data=b'.' * 13), LIES),
    (_npy(f"({'1, ' * 17})", data=b'.' * 4), LIES),
    (_npy('(-1,)'), NO_ARRAY), (_npy('[' * 5000), NO_ARRAY), (_npy('(3,)', "'|O'"), NO_ARRAY),
    (_npy('(3,)', "'<f3'"), NO_ARRAY), (_npy('(3,)', "[('a', '<f4')]"), NO_ARRAY),
    (_npy('(3,)', "'<c8'"), NO_ARRAY), (_npy('(__import__,)'), NO_ARRAY),
    (_npy('(2,)', "'|b1'", b'\x00\x07'), "'a' in it holds other things than yes and no"),
    (_npy('(1,)', "'<U1'", b'\xff' * 4), "'a' in it holds other things than letters")])
def test_what_an_array_claims_is_compared_with_what_is_there(tmp_path, content, reason):
    _packed(tmp_path / 'a.npz', content)
    _refused(tmp_path / 'a.npz', reason)


def test_an_archive_that_would_fill_the_memory_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, 'ALLOWANCE', 1 << 20)
    data = bytes(2 << 20)
    _packed(tmp_path / 'a.npz', _npy(f'({len(data)},)', "'|u1'", data), zipfile.ZIP_DEFLATED)
    size = (tmp_path / 'a.npz').stat().st_size
    _refused(tmp_path / 'a.npz',
             f'its {size} bytes claim to be {len(data) + 74} when unpacked')
    monkeypatch.setattr(archive, 'ALLOWANCE', 2 << 20)
    assert _read(tmp_path / 'a.npz')['a'].shape == (len(data),)
    _packed(tmp_path / 'b.npz', _npy('(3,)', data=b'.' * 12), zipfile.ZIP_BZIP2)
    _refused(tmp_path / 'b.npz', "'a' in it is packed in a way that no .npz is")


@pytest.mark.parametrize('text, reason', [
    ('[' * 100000, "its 'about' is no JSON text"),
    ('{"a":' * 70 + '1' + '}' * 70, "its 'about' is no JSON text"),
    ('[1]', "its 'about' is no JSON object"),
    (' ' * 2 ** 21, "its 'about' is no text, or too long")])
def test_about_is_bounded(tmp_path, text, reason):
    archive.write(tmp_path / 'a.npz', {'about': text})
    _refused(tmp_path / 'a.npz', reason, archive.about)


def test_numbers_that_are_not_finite_are_found(tmp_path):
    archive.write(tmp_path / 'a.npz', {'names': ['a'], 'w': [1.5, np.inf]})
    _refused(tmp_path / 'a.npz', "'w' in it holds numbers that are not finite", archive.finite)
    assert archive.finite(ARRAYS) is ARRAYS


def test_a_failing_write_leaves_what_was_there(tmp_path):
    archive.write(tmp_path / 'a.npz', {'a': [1]})
    with pytest.raises(TypeError):
        archive.write(tmp_path / 'a.npz', {'a': [2]}, {'about': {1, 2}})
    assert _read(tmp_path / 'a.npz')['a'] == [1]


def test_a_digest_is_of_the_arrays_not_of_the_file(tmp_path):
    archive.write(tmp_path / 'a.npz', ARRAYS, packed=True)
    first = archive.digest(ARRAYS)
    assert archive.digest(_read(tmp_path / 'a.npz')) == first and len(first) == 16
    for change in ({'count': np.array(8)}, {'more': np.zeros(1)}, {'count': np.array([7])}):
        assert archive.digest(dict(ARRAYS, **change)) != first
