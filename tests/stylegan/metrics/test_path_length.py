"""Path length of functions whose lengths are known."""

import numpy as np
import pytest

from stylegan.metrics.path_length import path_length, pixels, trimmed_mean


class Linear:
    """A generator whose images are linear in w, which is z itself; notes what it is given."""

    def __init__(self, latent, side=4):
        self.matrix = np.random.RandomState(3).randn(latent, side * side * 3) * 0.05
        self.latent_size, self.side, self.zs, self.drawn = latent, side, [], []

    def w(self, z):
        assert z.dtype == np.float32
        self.zs.append(z)
        return z

    def truncate(self, w, psi):
        return psi * w

    def images(self, w):
        assert w.dtype == np.float32
        self.drawn.append(w)
        return (w @ self.matrix).reshape(-1, self.side, self.side, 3).astype(np.float32)


class Layered(Linear):
    """The same with a style for each of four layers, of which the third is drawn."""

    def truncate(self, w, psi):
        return super().truncate(w, psi)[:, np.newaxis].repeat(4, 1)

    def images(self, ws):
        return super().images(ws[:, 2])


class Drawing(Linear):
    """A generator that draws by a function of w."""

    def __init__(self, latent, images):
        super().__init__(latent)
        self.images = images


def _pairs(batches):
    """First and second halves of batches, joined."""
    return [np.concatenate([batch[part * len(batch) // 2:][:len(batch) // 2] for batch in batches])
            for part in (0, 1)]


def test_straight_paths_have_the_length_of_their_difference():
    net = Linear(5)
    value = path_length(net, pixels, psi=1, count=30, seed=2)
    first, second = _pairs(net.zs)
    assert first.shape == (30, 5)
    slopes = (second - first) @ net.matrix / 2  # of pixels on a scale of 0..1
    expected = np.sort(np.square(slopes).mean(1))
    assert value == pytest.approx(expected.mean(), rel=0.01)
    half = path_length(net, pixels, psi=0.5, count=30, seed=2)
    assert half == pytest.approx(value / 4, rel=0.01)


@pytest.mark.parametrize('ends', [False, True])
def test_steps_are_taken_all_along_the_path_or_at_its_start(ends):
    net = Linear(1)
    path_length(net, pixels, psi=1, count=400, seed=4, ends=ends, epsilon=0.01)
    first, second = _pairs(net.zs)
    here, there = [(w - first) / (second - first) for w in _pairs(net.drawn)]
    np.testing.assert_allclose(np.median(there - here), 0.01, rtol=1e-3)
    if ends:
        assert np.abs(here).max() == 0
    else:
        counts, _ = np.histogram(here, 4, (0, 1))
        assert counts.sum() == 400 and abs(counts - 100).max() < 40


def test_paths_in_z_go_along_the_circle():
    """In a plane the angle between two z is uniform in 0..pi, and its square is the length."""
    def features(pictures):  # the two coordinates on the unit circle, from two of the pixels
        return pictures.reshape(len(pictures), -1)[:, :2].astype(np.float64) / 127.5 - 1

    def images(w):
        unit = w / np.linalg.norm(w, axis=1, keepdims=True)
        return np.tile(unit, [1, 6]).reshape(-1, 2, 2, 3)
    value = path_length(Drawing(2, images), features, psi=1, count=2000, seed=5, space='z')
    trimmed = np.pi ** 2 * (0.99 ** 3 - 0.01 ** 3) / 3 / 0.98
    assert value == pytest.approx(trimmed, abs=4 * 2.9 / np.sqrt(2000))


def test_styles_by_layer_work_as_well():
    plain, layered, other = [path_length(net(3), pixels, psi=1, count=9, seed=seed) for net, seed
                             in ((Linear, 6), (Layered, 6), (Linear, 7))]
    assert layered == plain != other


def test_large_images_are_averaged_down_and_none_is_cut():
    seen = []

    def features(pictures):
        seen.append(pictures)
        return pixels(pictures)

    def images(w):
        picture = np.full([len(w), 512, 512, 3], -1, np.float32)
        picture[:, 0, 0] = 1  # in the corner, which a crop would lose
        picture[:, 511, 510:] = 0
        return picture
    assert path_length(Drawing(2, images), features, psi=1, count=1, seed=0) == 0
    picture = seen[0][0]
    assert picture.shape == (256, 256, 3) and picture.dtype == np.float32
    assert (picture[0, 0] == 255 / 4).all() and (picture[255, 255] == 127.5 / 2).all()
    assert picture.sum() == 3 * (255 / 4 + 127.5 / 2)


def test_rounded_images_are_refused():
    with pytest.raises(AssertionError, match='uint8 would round the step away'):
        path_length(Drawing(2, lambda w: np.zeros([len(w), 4, 4, 3], np.uint8)), pixels, psi=1,
                    count=1, seed=0)


def test_the_farthest_percents_are_left_out():
    values = np.random.RandomState(0).permutation(np.arange(201.0))
    values[values == 200] = 1e9
    assert trimmed_mean(values) == np.mean(np.arange(2, 199))
    assert trimmed_mean(np.array([1.0, 5.0])) == 3
    assert trimmed_mean(np.array([4.0])) == 4
    few = np.arange(50.0)  # the percentiles lie within the outermost two and are rounded outwards
    assert trimmed_mean(few) == few.mean()


def test_pixels_measure_the_mean_squared_difference():
    pictures = np.random.RandomState(1).rand(2, 3, 4, 3) * 255
    one, two = pixels(pictures)
    expected = np.square((pictures[0] - pictures[1]) / 255).mean()
    assert np.square(one - two).sum() == pytest.approx(expected)
