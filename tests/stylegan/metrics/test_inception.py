"""A frozen graph computes what numpy computes, for any number of images, or is refused."""

import numpy as np
import pytest
import toy_frozen

from dnnlib import tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from stylegan.metrics import inception
from stylegan.metrics.inception import Inception


@pytest.fixture(scope='module')
def toy(tmp_path_factory):
    """(path of a toy graph with the names of Inception, its weights)."""
    path = tmp_path_factory.mktemp('inception') / 'classify_image_graph_def.pb'
    return path, toy_frozen.write(path)


def _pictures(count, side=toy_frozen.SIDE):
    return np.random.RandomState(count).randint(0, 256, [count, side, side, 3]).astype(np.uint8)


@pytest.mark.parametrize('count', [1, 2, inception.BATCH, inception.BATCH + 3])
@pytest.mark.parametrize('input', ['ResizeBilinear:0', 'ExpandDims:0', 'ExpandDims'])
@pytest.mark.parametrize('kind', [np.uint8, np.float32])
def test_a_graph_made_for_one_image_takes_batches(toy, count, input, kind):
    path, values = toy
    pictures = _pictures(count).astype(kind)
    with Inception(path, input, threads=1) as network:
        result = network.features(pictures)
    assert result.shape == (count, toy_frozen.DEPTH) and result.dtype == np.float32
    np.testing.assert_allclose(result, toy_frozen.features(pictures, values), atol=1e-5)


def test_the_graph_resizes_by_itself(toy):
    path, values = toy
    pictures = _pictures(3, 2 * toy_frozen.SIDE)
    with Inception(path, threads=1) as network:
        result = network.features(pictures)
    # At half the size the resizing of 2015 takes every second pixel.
    np.testing.assert_allclose(result, toy_frozen.features(pictures[:, ::2, ::2], values),
                               atol=1e-5)


def test_any_tensor_can_be_read(toy):
    pictures = _pictures(3)
    with Inception(toy[0], 'Sub:0', 'Mul', threads=1) as network:
        np.testing.assert_allclose(network.features(pictures.astype(float)),
                                   pictures.reshape(3, -1) / 128, atol=1e-6)


def test_closing_ends_the_session(toy):
    network = Inception(toy[0])
    network.close()
    with pytest.raises(RuntimeError, match=r'[Cc]losed'):
        network.features(_pictures(1))


@pytest.mark.parametrize('input, output, missing', [
    ('ExpandDim:0', 'pool_3:0', 'no tensor ExpandDim:0; similar are: .*ExpandDims'),
    ('ExpandDims:0', 'pool_2:0', 'no tensor pool_2:0; similar are: .*pool_3'),
    ('ExpandDims:0', '???', r'no tensor \?\?\?; similar are: .*pool_3/_reshape'),
    ('ExpandDims:1', 'pool_3:0', 'cannot be computed from ExpandDims:1 to pool_3:0'),
    ('ExpandDims:0', 'pool_3:7', 'cannot be computed from ExpandDims:0 to pool_3:7')])
def test_unknown_tensors_are_refused(toy, input, output, missing):
    with pytest.raises(UserError, match='classify_image_graph_def.pb .*' + missing):
        Inception(toy[0], input, output)


@pytest.mark.parametrize('content', [b'', b'no graph\n', b'PK\x03\x04', b'\x89PNG\r\n\x1a\n'])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / 'a.pb').write_bytes(content)
    with pytest.raises(UserError, match=r'a.pb (is not a frozen|holds no) graph'):
        Inception(tmp_path / 'a.pb')


def test_a_truncated_file_is_refused(tmp_path, toy):
    (tmp_path / 'a.pb').write_bytes(toy[0].read_bytes()[:-10])
    with pytest.raises(UserError, match=r'a.pb is not a frozen graph'):
        Inception(tmp_path / 'a.pb')


def test_folders_and_missing_files_are_named(tmp_path):
    with pytest.raises(UserError, match=r'a.pb does not exist; give the path of a frozen graph'):
        Inception(tmp_path / 'a.pb')
    with pytest.raises(UserError, match='is not a frozen graph'):
        Inception(tmp_path)


def test_a_tensor_made_for_one_image_is_refused(toy):
    with Inception(toy[0], output='pool_3/_reshape', threads=1) as network:
        assert network.features(_pictures(1)).shape == (1, toy_frozen.DEPTH)
        with pytest.raises(UserError, match=r'several at a time .*; name a tensor before it'):
            network.features(_pictures(2))


def test_images_that_do_not_fit_are_refused(toy):
    network = Inception(toy[0], 'ResizeBilinear', threads=1)
    with pytest.raises(UserError, match=r'takes arrays of shape .* not \[2, 8, 8, 3\]'):
        network.features(_pictures(2, 8))


def _graph(path, build):
    """Write a graph from 'ExpandDims' to 'pool_3' whose middle is made by build(x)."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 6, 6, 3], 'ExpandDims')
        tf.identity(build(x), 'pool_3')
    path.write_bytes(graph.as_graph_def().SerializeToString())


def test_a_graph_that_writes_a_file_is_not_run(tmp_path):
    marker = tmp_path / 'marker'

    def build(x):
        with tf.control_dependencies([tf.io.write_file(str(marker), 'written')]):
            return tf.reduce_mean(x, [1, 2])
    _graph(tmp_path / 'a.pb', build)
    with tf.Graph().as_default() as graph, tflib.session(1) as session:
        parsed = tf.GraphDef()
        parsed.ParseFromString((tmp_path / 'a.pb').read_bytes())
        tf.import_graph_def(parsed, name='')
        session.run('pool_3:0', {'ExpandDims:0': np.zeros([1, 6, 6, 3])})
    assert marker.exists() and graph, 'the attack works on readers that allow it'
    marker.unlink()
    with pytest.raises(UserError, match=r"a.pb uses the operation 'WriteFile'.*it was not run"):
        Inception(tmp_path / 'a.pb')
    assert not marker.exists()


def test_a_graph_that_reads_a_file_is_not_run(tmp_path):
    _graph(tmp_path / 'a.pb', lambda x: tf.reduce_mean(x, [1, 2]) + tf.cast(
        tf.strings.length(tf.io.read_file(str(tmp_path / 'a.pb'))), tf.float32))
    with pytest.raises(UserError, match=r'a.pb uses the operation'):
        Inception(tmp_path / 'a.pb')
