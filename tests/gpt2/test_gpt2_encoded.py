import numpy as np
import pytest

from dnnlib.files import UserError
from gpt2 import encoded, encoder

TEXTS = ['A red dress.\n- Lined', 'Café dress, 100 % silk', 'A', 'broken \ud800 text']


@pytest.fixture(scope='module')
def vocabulary():
    return encoder.train(TEXTS[:2], 300)


def same(first, second):
    return len(first) == len(second) and all(map(np.array_equal, first, second))


def test_texts_are_encoded_each_by_itself_and_ended(vocabulary):
    texts = TEXTS * 600  # more than are taken at once
    documents = encoded.encode(texts, vocabulary)
    assert {ids.dtype for ids in documents} == {np.dtype(np.int32)}
    assert same(documents, [vocabulary.encode(text) + [vocabulary.end] for text in texts])


def test_the_mark_in_a_text_is_the_end_of_a_document(vocabulary):
    end, a, b = [vocabulary.end], vocabulary.encode('A'), vocabulary.encode(' red')
    documents = encoded.encode(['A<|endoftext|>', 'A<|endoftext|> red', '<|endoftext|>A\n',
                                'A<|endoftext|>\n<|endoftext|> red'], vocabulary)
    assert same(documents, [a + end, a + end + b + end, vocabulary.encode('A\n') + end,
                            a + end + b + end])


def test_a_second_time_the_file_is_read(vocabulary, tmp_path, monkeypatch):
    first = encoded.encode(TEXTS, vocabulary, tmp_path)
    name, = [path.name for path in tmp_path.iterdir()]
    with monkeypatch.context() as patch:
        patch.delattr(encoder.Encoder, 'encode_batch')
        assert same(encoded.encode(TEXTS, vocabulary, tmp_path), first)
        assert same(encoded.read(tmp_path / name, vocabulary), first)
    assert name.startswith('encoded-') and name.endswith('.npz')


def test_other_texts_or_another_vocabulary_are_another_file(vocabulary, tmp_path):
    other = encoder.train(TEXTS[:2], vocabulary.size - 1)
    encoded.encode(['ab', 'c'], vocabulary, tmp_path)
    assert len(encoded.encode(['a', 'bc'], vocabulary, tmp_path)) == 2
    encoded.encode(['ab', 'c'], other, tmp_path)
    names = [path.name for path in tmp_path.iterdir()]
    assert len(names) == 3
    for name in names:  # whichever it is, only one of the two vocabularies is that of the file
        fits = 0
        for candidate in (vocabulary, other):
            try:
                fits += len(encoded.read(tmp_path / name, candidate)) == 2
            except UserError as error:
                assert 'vocabulary' in str(error)
        assert fits == 1


@pytest.mark.parametrize('kind', [np.int32, np.uint16, np.int64])
def test_a_file_of_the_users_own(vocabulary, tmp_path, kind):
    end = vocabulary.end
    np.savez_compressed(str(tmp_path / 'x.npz'), ids=np.array([5, 6, end, 7, 8], kind),
                        offsets=np.array([0, 3, 5]))
    documents = encoded.read(tmp_path / 'x.npz', vocabulary)
    assert same(documents, [[5, 6, end], [7, 8, end]])


@pytest.mark.parametrize('arrays, expected', [
    ({'arr_0': [1, 2]}, 'arr_0'),
    ({'ids': [[1, 2]], 'offsets': [0, 2]}, 'ids is not a list'),
    ({'ids': [1.0, 2.0], 'offsets': [0, 2]}, 'ids is not a list'),
    ({'ids': [1, 2], 'offsets': []}, 'offsets is not a list'),
    ({'ids': [1, 300], 'offsets': [0, 2]}, 'to 300'),
    ({'ids': [1, -1], 'offsets': [0, 2]}, 'ids'),
    ({'ids': [1, 2], 'offsets': [0, 3]}, 'offsets'),
    ({'ids': [1, 2], 'offsets': [1, 2]}, 'offsets'),
    ({'ids': [1, 2], 'offsets': [0, 2, 1, 2]}, 'offsets'),
    ({'ids': [1, 2], 'offsets': [0, 2], 'vocabulary': 'other'}, 'vocabulary')])
def test_what_does_not_fit_is_refused(vocabulary, tmp_path, arrays, expected):
    np.savez(str(tmp_path / 'x.npz'), **{name: np.array(value) for name, value in arrays.items()})
    with pytest.raises(UserError, match=r'x\.npz.*' + expected):
        encoded.read(tmp_path / 'x.npz', vocabulary)


def test_damaged_files_and_objects_are_refused(vocabulary, tmp_path):
    path = tmp_path / 'x.npz'
    np.savez(str(path), ids=np.arange(5000) % 250, offsets=np.array([0, 5000]))
    whole = path.read_bytes()
    objects = tmp_path / 'objects.npz'
    np.savez(str(objects), ids=np.array([{}], object), offsets=np.array([0, 1]))
    array = tmp_path / 'array.npy'
    np.save(str(array), np.arange(3))
    for data in (b'', b'no archive', whole[:len(whole) // 2], whole[:2000] + b'?' + whole[2001:],
                 objects.read_bytes(), array.read_bytes()):
        path.write_bytes(data)
        with pytest.raises(UserError, match=r'x\.npz is no file of encoded texts'):
            encoded.read(path, vocabulary)
    with pytest.raises(UserError, match='does not exist'):
        encoded.read(tmp_path / 'nowhere.npz', vocabulary)
