"""A frozen graph computes what numpy computes, for any number of rows, or says why it cannot."""

import numpy as np
import pytest
import toy_frozen

from stylegan.metrics import frozen
from dnnlib.files import UserError
from stylegan.metrics.frozen import Frozen


@pytest.fixture(scope='module')
def toy(tmp_path_factory):
    """(path of a toy graph, its weights)."""
    path = tmp_path_factory.mktemp('frozen') / 'toy.pb'
    return path, toy_frozen.write(path)


def _pictures(count, side=toy_frozen.SIDE):
    return np.random.RandomState(count).randint(0, 256, [count, side, side, 3]).astype(np.uint8)


@pytest.mark.parametrize('count', [1, 2, frozen.BATCH, frozen.BATCH + 3])
@pytest.mark.parametrize('input', ['ResizeBilinear:0', 'ExpandDims:0', 'ExpandDims'])
def test_many_rows_where_the_file_was_made_for_one(toy, count, input):
    path, values = toy
    pictures = _pictures(count)
    with Frozen(path, input, 'pool_3:0', threads=1) as function:
        result = function(pictures)
    assert result.shape == (count, 1, 1, toy_frozen.DEPTH) and result.dtype == np.float32
    np.testing.assert_allclose(result[:, 0, 0], toy_frozen.features(pictures, values), atol=1e-5)


def test_any_tensor_can_be_read(toy):
    pictures = _pictures(3)
    with Frozen(toy[0], 'Sub:0', 'Mul', threads=1) as function:
        np.testing.assert_allclose(function(pictures.astype(float)), pictures / 128, atol=1e-6)


def test_closing_ends_the_session(toy):
    function = Frozen(toy[0], 'Sub', 'Mul')
    function.close()
    with pytest.raises(RuntimeError, match='[Cc]losed'):
        function(_pictures(1))


@pytest.mark.parametrize('input, output, missing', [
    ('ExpandDim:0', 'pool_3:0', 'no tensor ExpandDim:0; similar are: .*ExpandDims'),
    ('ExpandDims:0', 'pool_2:0', 'no tensor pool_2:0; similar are: .*pool_3'),
    ('ExpandDims:0', '???', r'no tensor \?\?\?; similar are: .*pool_3/_reshape'),
    ('ExpandDims:1', 'pool_3:0', 'cannot be computed from ExpandDims:1 to pool_3:0'),
    ('ExpandDims:0', 'pool_3:7', 'cannot be computed from ExpandDims:0 to pool_3:7')])
def test_tensors_that_are_not_there(toy, input, output, missing):
    with pytest.raises(UserError, match='toy.pb .*' + missing):
        Frozen(toy[0], input, output)


@pytest.mark.parametrize('content', [b'', b'no graph\n', b'PK\x03\x04', b'\x89PNG\r\n\x1a\n'])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / 'a.pb').write_bytes(content)
    with pytest.raises(UserError, match='a.pb (is no frozen|holds no) graph'):
        Frozen(tmp_path / 'a.pb', 'a', 'b')


def test_a_file_that_is_cut_off_is_refused(tmp_path, toy):
    (tmp_path / 'a.pb').write_bytes(toy[0].read_bytes()[:-10])
    with pytest.raises(UserError, match='a.pb is no frozen graph'):
        Frozen(tmp_path / 'a.pb', 'ExpandDims', 'pool_3')


def test_folders_and_missing_files_are_named(tmp_path):
    with pytest.raises(UserError, match='a.pb does not exist; give the path of a frozen graph'):
        Frozen(tmp_path / 'a.pb', 'a', 'b')
    with pytest.raises(UserError, match='is no frozen graph'):
        Frozen(tmp_path, 'a', 'b')


def test_a_tensor_made_for_one_row_is_refused(toy):
    with Frozen(toy[0], 'ExpandDims', 'pool_3/_reshape', threads=1) as function:
        assert function(_pictures(1)).shape == (1, toy_frozen.DEPTH)
        with pytest.raises(UserError, match='several at a time .*; name a tensor before it'):
            function(_pictures(2))


def test_arrays_that_do_not_fit_are_refused(toy):
    with Frozen(toy[0], 'ResizeBilinear', 'pool_3', threads=1) as function:
        with pytest.raises(UserError, match=r'takes arrays of shape .* not \[2, 8, 8, 3\]'):
            function(_pictures(2, 8))
