"""The tagger's network against numpy, its data augmentation, and repeated training runs."""

import numpy as np
import pytest

from dnnlib import tflib
from dnnlib.tflib import tf
from tagger import net
from tagger.config import Config

HEADS = {'category': ('a', 'b', 'c'), 'colour': ('x', 'y')}
CONFIG = Config(side=16, fmaps=3, features=5, batch=6, threads=1)


@pytest.fixture(scope='module')
def training():
    with net.Training(HEADS, CONFIG) as entered:
        yield entered


@pytest.fixture(scope='module')
def augment():
    """`net.augmented` as a function of arrays [n, 16, 16, 3]."""
    with tf.Graph().as_default():
        feeds = [tf.placeholder(tf.float32, shape) for shape in
                 ([None, 16, 16, 3], [None, 4], [None, 2], [None])]
        result, session = net.augmented(*feeds), tflib.session(1)
    yield lambda *arrays: session.run(result, dict(zip(feeds, arrays)))
    session.close()


def some(count=6):
    rng = np.random.RandomState([count, 2])
    pictures = rng.randint(0, 256, [count, 16, 16, 3]).astype(np.uint8)
    labels = {'category': np.arange(count) % 3, 'colour': np.arange(count) % 2}
    return pictures, labels, {name: np.ones([count], np.float32) for name in HEADS}


def conv(x, kernel):
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return sum(padded[:, i:i + x.shape[1], j:j + x.shape[2]] @ kernel[i, j]
               for i in range(3) for j in range(3))


def norm(x, values, scope):
    scale, shift, mean, variance = [values[f'{scope}/{name}']
                                    for name in ('scale', 'shift', 'mean', 'variance')]
    return np.maximum((x - mean) / np.sqrt(variance + 1e-3) * scale + shift, 0)


def test_inference_against_numpy(training):
    training.start(3)
    pictures, labels, weights = some()
    for step in range(3):
        training.step(pictures, labels, weights, rate=0.01,
                      augmentation=net.augmentation(6, True, np.random.RandomState([step])))
    values = training.values()
    assert values['conv1/mean'].any()  # the averages have moved
    features, logits = net.Classifier(HEADS, CONFIG, values, 1)(pictures)
    x = pictures / 127.5 - 1
    for scope in ('conv0', 'conv1'):
        x = conv(x, values[scope + '/weight'])
        n, h, w, c = x.shape
        x = norm(x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4)), values, scope)
    x = norm(x.reshape(len(x), -1) @ values['hidden/weight'], values, 'hidden')
    assert features == pytest.approx(x, abs=1e-4)
    for index, name in enumerate(HEADS):
        expected = x @ values[f'head{index}/weight'] + values[f'head{index}/bias']
        assert logits[name] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize('side, sides', [(16, 4), (32, 4), (64, 4), (96, 6), (128, 4)])
def test_every_size_is_halved_to_about_four_pixels(side, sides):
    assert side // 2 ** len(net.widths(Config(side=side))) == sides


def test_without_augmentation_nothing_changes(augment):
    images = np.random.RandomState([1]).uniform(-1, 1, [2, 16, 16, 3])
    same = augment(images, *net.augmentation(2, False, None))
    assert same == pytest.approx(images, abs=1e-5)


def test_boxes_mirror_and_move_and_gains_brighten(augment):
    images = np.random.RandomState([1]).uniform(-1, 1, [1, 16, 16, 3])
    gains, blurs = np.float32([[1, 0]]), np.zeros([1])
    mirrored = augment(images, [[0, 1, 1, 0]], gains, blurs)
    assert mirrored == pytest.approx(images[:, :, ::-1], abs=1e-5)
    moved = augment(images, [[1 / 15, 0, 16 / 15, 1]], gains, blurs)
    assert moved[:, :-1] == pytest.approx(images[:, 1:], abs=1e-5)
    assert moved[:, -1] == pytest.approx(images[:, -1], abs=1e-5)  # beyond the edge: its mirror
    brighter = augment(images, [[0, 0, 1, 1]], [[0.5, 0.1]], blurs)
    assert brighter == pytest.approx(images * 0.5 + 0.1, abs=1e-5)
    blurred = augment(images, [[0, 0, 1, 1]], gains, [1.0])
    assert blurred[0, 5, 5] == pytest.approx(images[0, 4:7, 4:7].mean((0, 1)), abs=1e-5)


def test_augmentation_is_drawn_from_the_seed_alone():
    one, two, other = [net.augmentation(64, True, np.random.RandomState([seed]))
                       for seed in (1, 1, 2)]
    assert all(np.array_equal(a, b) for a, b in zip(one, two))
    assert not np.array_equal(one[0], other[0])
    boxes = one[0]
    assert (boxes[:, 1] > boxes[:, 3]).any() and (boxes[:, 1] < boxes[:, 3]).any()


def test_a_start_resets_all_weights(training):
    pictures, labels, weights = some()
    results = []
    for seed in (1, 2, 1):
        assert training.start(seed) == 0
        losses = [training.step(pictures, labels, weights, rate=0.01,
                                augmentation=net.augmentation(6, False, None)) for _ in range(4)]
        results.append((losses, training.values()))
    assert results[0][0] == results[2][0] and results[0][0] != results[1][0]
    for name, value in results[0][1].items():
        assert np.array_equal(value, results[2][1][name]), name


def test_images_of_weight_zero_have_no_loss(training):
    pictures, labels, weights = some()
    nothing = {name: np.zeros_like(values) for name, values in weights.items()}
    training.start(0)
    before = training.values()
    assert training.step(pictures, labels, nothing, rate=0.0,
                         augmentation=net.augmentation(6, False, None)) == 0
    after = training.values()
    assert np.array_equal(before['conv0/weight'], after['conv0/weight'])
