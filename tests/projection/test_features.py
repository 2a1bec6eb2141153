"""The features that images are compared by, against numpy."""

import numpy as np
import pytest

from dnnlib import tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from projection import features


def _computed(build, images):
    with tf.Graph().as_default(), tflib.session(1) as session:
        given = tf.placeholder(tf.float32, [None] + list(images.shape[1:]))
        return session.run(build(given), {given: images})


def _images(side):
    return np.random.RandomState(side).uniform(-1, 1, [2, side, side, 3]).astype(np.float32)


def test_the_pyramid_has_pixels_and_edges_of_all_sizes():
    images = _images(16)
    rows, gap, expected = _computed(features.pyramid, images), images[0] - images[1], 0
    for side in (16, 8):
        gap = gap.reshape(side, len(gap) // side, side, len(gap) // side, 3).mean((1, 3))
        expected += sum(np.square(part).mean() for part in (
            gap, np.diff(gap, axis=0), np.diff(gap, axis=1)))
    np.testing.assert_allclose(np.square(rows[0] - rows[1]).sum(), expected, rtol=1e-5)


@pytest.fixture(scope='module')
def vgg(tmp_path_factory):
    """A file of a VGG16 that is two maps wide."""
    rng, arrays, maps = np.random.RandomState(3), {}, 3
    for block, layers in enumerate((2, 2, 3, 3, 3)):
        for layer in range(layers):
            name = f'conv{block + 1}_{layer + 1}'
            arrays[name + '_W'] = rng.randn(3, 3, maps, 2).astype(np.float32)
            arrays[name + '_b'] = np.full(2, 9, np.float32)  # so that few maps are all dark
            maps = 2
    path = tmp_path_factory.mktemp('vgg') / 'vgg.npz'
    np.savez(str(path), **arrays)
    return path, arrays


def _block(x, arrays, names):
    """A block's convolutions x [h, w, c], by hand."""
    for name in names:
        padded = np.pad(x, [[1, 1], [1, 1], [0, 0]], 'constant')
        x = arrays[name + '_b'] + sum(
            padded[i:i + len(x), j:j + len(x)] @ arrays[name + '_W'][i, j]
            for i in range(3) for j in range(3))
        x = np.maximum(x, 0)
    return x


def test_vgg16_gives_unit_vectors_of_every_block(vgg):
    path, arrays = vgg
    image = _images(32)[:1]
    weights = features.read_vgg16(path)
    row = _computed(lambda images: features.vgg16(images, weights), image)[0]
    assert len(row) == 2 * sum(side * side for side in (32, 16, 8, 4, 2))
    x = _block((image[0] + 1) * 127.5 - [123.68, 116.779, 103.939], arrays, ['conv1_1', 'conv1_2'])
    unit = x / np.sqrt(np.square(x).sum(-1, keepdims=True) + 1e-10)
    np.testing.assert_allclose(row[:2048], unit.ravel() / 32, atol=1e-5)


def test_a_file_without_a_vgg16_is_refused(tmp_path):
    np.savez(str(tmp_path / 'a.npz'), conv1_1_W=np.zeros(3))
    (tmp_path / 'b.npz').write_text('no archive')
    for name in ('a.npz', 'b.npz'):
        with pytest.raises(UserError, match='is no VGG16'):
            features.read_vgg16(tmp_path / name)
    with pytest.raises(UserError, match='does not exist'):
        features.read_vgg16(tmp_path / 'c.npz')


@pytest.mark.parametrize('name, value, words', [
    ('conv1_1_W', np.zeros([3, 3, 4, 2]), 'conv1_1 has the shapes'),
    ('conv3_2_b', np.zeros(3), 'conv3_2 has the shapes'),
    ('conv4_1_W', np.zeros([5, 5, 2, 2]), 'conv4_1 has the shapes'),
    ('conv5_3_W', np.full([3, 3, 2, 2], np.nan), 'not finite')])
def test_weights_that_do_not_fit_are_refused(vgg, tmp_path, name, value, words):
    np.savez(str(tmp_path / 'a.npz'), **dict(vgg[1], **{name: value}))
    with pytest.raises(UserError, match=f'a.npz is no VGG16.*{words}'):
        features.read_vgg16(tmp_path / 'a.npz')
