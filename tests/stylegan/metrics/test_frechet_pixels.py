"""The distance of images in the training set's principal components, against closed forms."""

import json

import numpy as np
import pytest

from stylegan.metrics import frechet_pixels


class Reals:
    """As stylegan.dataset.Records: images of a few random patterns of known strength."""

    def __init__(self, count=400, res=8, seed=0):
        self.count, self.resolution = count, res
        random = np.random.RandomState(1)
        patterns = np.linalg.qr(random.randn(3 * res * res, 3))[0]
        weights = np.random.RandomState(seed).randn(count, 3) * [300, 200, 100]
        noise = np.random.RandomState(seed + 1).randn(count, 3 * res * res) * 4
        x = 128 + weights @ patterns.T + noise
        self.pictures = np.uint8(np.clip(np.rint(x), 0, 255)).reshape(count, res, res, 3)
        self.read = 0

    def batch(self, position, count, res, mirror=False):
        self.read += count
        batch = self.pictures[position:position + count]
        return batch[:, :, ::-1] if mirror else batch


def test_the_components_are_those_of_a_singular_value_decomposition():
    x = np.float32(Reals().pictures.reshape(400, -1))
    mean, basis = frechet_pixels.principal_components(lambda: np.array_split(x, 7), 3)
    np.testing.assert_allclose(mean, x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-5)
    _, _, axes = np.linalg.svd(x - x.mean(0), full_matrices=False)
    np.testing.assert_allclose(np.abs(np.sum(axes[:3].T * basis, 0)), 1, atol=1e-4)


def test_a_shift_of_all_images_is_its_square_over_the_variance():
    """Equal covariances: the Frechet distance of two Gaussians is that of their means."""
    reals = Reals()
    reference = frechet_pixels.fit(reals, 8)
    fitted = reals.pictures[:200]
    assert abs(frechet_pixels.measure(reference, [fitted])[0]) < 1e-6
    variance = reference.features.var(0, ddof=1).sum()
    direction = reference.basis[:, 0].reshape(8, 8, 3)
    shifted = np.uint8(np.clip(np.rint(fitted + 40 * direction), 0, 255))
    distance, _ = frechet_pixels.measure(reference, [shifted[:90], shifted[90:]])
    assert distance == pytest.approx((40 / 127.5) ** 2 / variance, rel=0.05)


def test_scaled_images_have_the_closed_form_of_scaled_gaussians():
    """Covariances S and c^2 S commute, so their distance is (1 - c)^2 tr S."""
    reals = Reals()
    reference = frechet_pixels.fit(reals, 8)
    mean = np.float64(reals.pictures[:200]).mean(0)
    fitted, others = [np.uint8(np.rint(mean + 0.5 * (pictures - mean)))
                      for pictures in (reals.pictures[:200], reals.pictures[200:])]
    assert frechet_pixels.measure(reference, [fitted])[0] == pytest.approx(0.25, abs=0.01)
    detail = frechet_pixels.measure(reference, [others])[1]
    assert 0.2 < detail < 0.35  # a quarter, and what rounding to 8 bits adds


def test_false_detail_is_outside_of_the_components():
    reals = Reals()
    reference = frechet_pixels.fit(reals, 8)
    noisy = reals.pictures[:200] + np.random.RandomState(3).randn(200, 8, 8, 3) * 8
    distance, detail = frechet_pixels.measure(reference, [np.uint8(np.clip(noisy, 0, 255))])
    assert detail > 3 and distance < 0.2


def test_the_floor_is_that_of_other_images_of_the_set():
    reals = Reals()
    reference = frechet_pixels.fit(reals, 8)
    distance, detail = frechet_pixels.measure(reference, [reals.pictures[200:]])
    assert reference.floor == pytest.approx(distance) and 0 < reference.floor < 0.1
    assert detail == pytest.approx(1)


def test_detail_of_real_images_is_1_however_small_the_set_to_fit():
    """The images that were fitted lie nearer to the components than any others."""
    reference = frechet_pixels.fit(Reals(count=80), 8)
    _, detail = frechet_pixels.measure(reference, [Reals(seed=7).pictures])
    _, fitted = frechet_pixels.measure(reference, [Reals(count=80).pictures[:40]])
    assert detail == pytest.approx(1, abs=0.05) and fitted < 0.8


def test_larger_images_are_averaged():
    reals = Reals()
    reference = frechet_pixels.fit(reals, 8)
    large = reals.pictures[:200].repeat(4, 1).repeat(4, 2)
    assert frechet_pixels.measure(reference, [large]) == pytest.approx(
        frechet_pixels.measure(reference, [reals.pictures[:200]]), abs=1e-5)


def test_a_fit_is_cached_until_the_images_change(tmp_path):
    first = frechet_pixels.cached(tmp_path, Reals(), 8)
    reals = Reals()
    again = frechet_pixels.cached(tmp_path, reals, 8)
    assert reals.read == 400  # only to see that they are the same
    assert again.res == 8 and again.count == first.count == 200
    assert again.floor == first.floor and json.dumps(again.floor)
    assert np.array_equal(again.basis, first.basis)
    other = frechet_pixels.cached(tmp_path, Reals(seed=5), 8)
    mirrored = frechet_pixels.cached(tmp_path, Reals(), 8, mirror=True)
    assert other.floor != first.floor and not np.array_equal(mirrored.mean, first.mean)


def test_a_small_training_set_is_not_measured(tmp_path):
    assert frechet_pixels.cached(tmp_path, Reals(count=15), 8) is None
    assert not list(tmp_path.iterdir())
