"""Features by the names of the Inception graph, on a tiny graph that has them."""

import numpy as np
import pytest
import toy_frozen

from dnnlib.files import UserError
from stylegan.metrics.inception import Inception


@pytest.fixture(scope='module')
def toy(tmp_path_factory):
    path = tmp_path_factory.mktemp('inception') / 'classify_image_graph_def.pb'
    return path, toy_frozen.write(path)


@pytest.mark.parametrize('kind', [np.uint8, np.float32])
def test_a_row_of_features_per_picture(toy, kind):
    path, values = toy
    pictures = np.random.RandomState(1).randint(0, 256, [20, 6, 6, 3]).astype(kind)
    with Inception(path, threads=1) as inception:
        result = inception(pictures)
    assert result.shape == (20, toy_frozen.DEPTH) and result.dtype == np.float32
    np.testing.assert_allclose(result, toy_frozen.features(pictures, values), atol=1e-5)


def test_the_graph_resizes_by_itself(toy):
    path, values = toy
    pictures = np.random.RandomState(2).randint(0, 256, [3, 12, 12, 3]).astype(np.uint8)
    with Inception(path, threads=1) as inception:
        result = inception(pictures)
    # At half the size the resizing of 2015 takes every second pixel.
    np.testing.assert_allclose(result, toy_frozen.features(pictures[:, ::2, ::2], values),
                               atol=1e-5)


def test_other_names_can_be_given_and_wrong_ones_are_refused(toy):
    with Inception(toy[0], 'ResizeBilinear', 'Mul', threads=1) as inception:
        assert inception(np.full([2, 6, 6, 3], 255)).tolist() == [[127 / 128] * 108] * 2
    with pytest.raises(UserError, match='no tensor pool_4'):
        Inception(toy[0], output='pool_4')


def test_closing_ends_the_session(toy):
    inception = Inception(toy[0])
    inception.close()
    with pytest.raises(RuntimeError, match='[Cc]losed'):
        inception(np.zeros([1, 6, 6, 3]))
