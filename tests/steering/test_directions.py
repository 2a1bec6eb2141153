"""The file of directions: saved, loaded, and validated."""

import numpy as np
import pytest

from dnnlib.files import UserError
from steering import directions
from steering.directions import Direction
from stylegan import labelled


def _direction(name, seed):
    vector = np.random.RandomState(seed).randn(6).astype(np.float32)
    auc = float('nan') if seed else 0.75
    return Direction(name, vector, 0.5, 'coarse', 'lda', auc, -vector, 2.5)


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / 'directions.npz'
    directions.save(path, [_direction('a', 0), _direction('sleeve=æ, long', 1)], {'by': 'a test'})
    found, about = directions.load(path)
    assert list(found) == ['a', 'sleeve=æ, long'] and about == {'by': 'a test'}
    for seed, (name, read) in enumerate(found.items()):
        written = _direction(name, seed)
        assert np.array_equal(read.vector, written.vector) and read.vector.dtype == np.float32
        assert np.array_equal(read.normal, written.normal)
        assert (read.scale, read.band, read.kind, read.bias) == (0.5, 'coarse', 'lda', 2.5)
    assert found['a'].auc == 0.75 and np.isnan(found['sleeve=æ, long'].auc)


def test_directions_of_other_models_are_refused(tmp_path):
    made = {'stylegan': 'a', 'tagger': 'b'}
    with pytest.raises(UserError, match=r'no directions in .* yet; find them first, with the same'):
        directions.load_all(tmp_path, made, 6)
    probabilities = {'colour': np.float32([[0.5, 0.5]])}
    labelled.save(tmp_path / 'tagged.npz', labelled.LabelledSample(
        np.zeros([1, 6], np.float32), {'colour': ('red', 'blue')}, probabilities), made)
    directions.save(tmp_path / 'directions.npz', [_direction('a', 0)], dict(made, by='a test'))
    sample, found = directions.load_all(tmp_path, made, 6)
    assert len(sample) == 1 and list(found) == ['a']
    for other in (dict(made, tagger='c'), {'stylegan': 'c'}):
        with pytest.raises(UserError, match=r'of another (tagger|stylegan); find others'):
            directions.load_all(tmp_path, other, 6)
    with pytest.raises(UserError, match=r'directions of another size than w; find others'):
        directions.load_all(tmp_path, made, 8)


def test_an_unknown_name_lists_the_known_ones():
    known = {'pca0': _direction('pca0', 0), 'pca1': _direction('pca1', 0)}
    assert directions.named(known, 'pca1') is known['pca1']
    with pytest.raises(UserError, match="no direction 'pca2'; known are: pca0, pca1"):
        directions.named(known, 'pca2')
    with pytest.raises(UserError, match=r"'a.x1b'; known are: b.x1b\[31m"):
        directions.named({'b\x1b[31m': None}, 'a\x1b')


@pytest.mark.parametrize('content', [b'', b'no archive', None])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / 'directions.npz'
    if content is None:
        np.savez(str(path), names=np.array(['a']))
    else:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r'directions.npz'):
        directions.load(path)
    with pytest.raises(UserError, match=r'run.py directions'):
        directions.load(tmp_path / 'none.npz')


@pytest.mark.parametrize('change, words', [
    (dict(vectors=np.zeros([2, 5])), 'normals of another size'),
    (dict(vectors=np.full([2, 6], np.nan)), 'not finite'), (dict(scales=np.zeros(3)), 'scales'),
    (dict(names=np.array(['a', 'a'])), 'two directions have the same name'),
    (dict(names=np.array([1, 2])), 'names'), (dict(biases=np.zeros([2, 2])), 'biases')], ids=str)
def test_arrays_that_do_not_fit_are_refused(tmp_path, change, words):
    path = tmp_path / 'directions.npz'
    directions.save(path, [_direction('a', 0), _direction('b', 1)], {})
    with np.load(str(path)) as arrays:
        changed = dict(arrays, **change)
    np.savez(str(path), **changed)
    with pytest.raises(UserError, match=f'directions.npz is no file of directions.*{words}'):
        directions.load(path)
