"""Sliced Wasserstein distance against plain loops; it is zero, symmetric and grows as it should."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from stylegan.metrics import swd


def _pictures(seed, count=40, side=32):
    """Rectangles of random colours on white."""
    random = np.random.RandomState(seed)
    result = np.full([count, side, side, 3], 255, np.uint8)
    for picture in result:
        for _ in range(6):
            (y, x), (height, width) = random.randint(0, side, 2), random.randint(3, side, 2)
            picture[y:y + height, x:x + width] = random.randint(0, 256, 3)
    return result


def _distance(a, b, **more):
    return swd.distance(a, b, **dict(dict(seed=0, patches=16, directions=32, repeats=2), **more))


KERNEL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256.0


def _mirrored(i, size):
    return -i if i < 0 else 2 * size - 2 - i if i >= size else i


def _smooth_by_loops(x):
    """x [s, s, 3]."""
    size, result = len(x), np.zeros(x.shape)
    for row in range(size):
        for column in range(size):
            for i in range(5):
                for j in range(5):
                    result[row, column] += KERNEL[i, j] * x[
                        _mirrored(row + i - 2, size), _mirrored(column + j - 2, size)]
    return result


def _pyramid_by_loops(picture):
    level, levels = picture.astype(np.float64), []
    while len(level) > 16:
        smaller = _smooth_by_loops(level)[::2, ::2]
        spread = np.zeros(level.shape)
        spread[::2, ::2] = smaller
        levels.append(level - 4 * _smooth_by_loops(spread))
        level = smaller
    return levels + [level]


def test_pyramid_against_plain_loops():
    pictures = _pictures(1, 2, 64)
    levels = swd.pyramid(pictures)
    assert [level.shape for level in levels] == [(2, s, s, 3) for s in (64, 32, 16)]
    for index, picture in enumerate(pictures):
        for level, expected in zip(levels, _pyramid_by_loops(picture)):
            np.testing.assert_allclose(level[index], expected, atol=1e-3)


def _cloud_by_loops(pictures, depth, corners):
    points = []
    for picture, own in zip(pictures, corners):
        level = _pyramid_by_loops(picture)[depth]
        points += [level[y:y + 7, x:x + 7].reshape(49, 3) for y, x in own]
    points = np.array(points)
    for channel in range(3):
        values = points[:, :, channel]
        points[:, :, channel] = (values - values.mean()) / values.std()
    return points.reshape(len(points), 147)


def test_distance_against_plain_loops():
    a, b = _pictures(2, 3), _pictures(3, 3)[:, ::-1] // 2
    result = swd.distance(a, b, seed=5, patches=4, directions=6, repeats=2)
    assert list(result) == ['swd_32', 'swd_16', 'swd']
    for depth, side in enumerate([32, 16]):
        corners = np.random.RandomState([5, side]).randint(0, side - 6, [3, 4, 2])
        clouds = [_cloud_by_loops(pictures, depth, corners) for pictures in (a, b)]
        random, found = np.random.RandomState([5, side, 1]), []
        for direction in random.randn(2 * 6, 147):
            one, two = [sorted(point @ direction / np.linalg.norm(direction) for point in cloud)
                        for cloud in clouds]
            found.append(np.mean([abs(p - q) for p, q in zip(one, two)]))
        assert result[f'swd_{side}'] == pytest.approx(1000 * np.mean(found), rel=1e-4)
    assert result['swd'] == pytest.approx((result['swd_32'] + result['swd_16']) / 2)


def test_a_shifted_cloud_is_as_far_as_it_was_shifted():
    cloud, shift = np.random.RandomState(4).randn(3, 500), np.array([3.0, -4.0, 0.0])
    shifted = cloud[:, ::-1] + shift[:, np.newaxis]
    for direction in ([1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, -0.8, 0]):
        assert swd.sliced(cloud, shifted, np.array([direction])) == pytest.approx(
            abs(shift @ direction), abs=1e-9)


def test_equal_sets_are_at_distance_zero_and_others_are_not():
    a, b = _pictures(5), _pictures(6)
    assert set(_distance(a, a).values()) == {0}
    assert min(_distance(a, b).values()) > 0
    assert _distance(a, b) == _distance(b, a)


def test_same_seed_same_figures():
    a, b = _pictures(5), _pictures(6)
    assert _distance(a, b) == _distance(a, b) != _distance(a, b, seed=1)


def _blurred(pictures, radius):
    return np.stack([np.asarray(Image.fromarray(picture).filter(
        ImageFilter.GaussianBlur(radius))) for picture in pictures])


def _noisy(pictures, strength):
    noise = np.random.RandomState(7).randn(*pictures.shape) * strength
    return np.clip(pictures + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize('worse, amounts', [(_blurred, (0.5, 1, 2)), (_noisy, (15, 30, 60))])
def test_it_grows_with_blur_and_noise(worse, amounts):
    a, b = _pictures(8), _pictures(9)
    values = [_distance(a, b)['swd_32']]
    values += [_distance(a, worse(b, amount))['swd_32'] for amount in amounts]
    assert values == sorted(values) and values[-1] > 1.5 * values[0]


def test_levels_measure_the_scale_of_differences():
    a, b = _pictures(8), _pictures(9)
    lighter = b.copy()
    lighter[:, :16] = lighter[:, :16] // 4 + 190  # the upper half: large, not fine
    same, fine, large = _distance(a, b), _distance(a, _noisy(b, 30)), _distance(a, lighter)
    assert fine['swd_32'] / same['swd_32'] > 1.5
    assert fine['swd_16'] / same['swd_16'] < 1.1
    assert large['swd_16'] / same['swd_16'] > 1.2 * large['swd_32'] / same['swd_32']


def test_a_tint_of_the_whole_set_does_not_count():
    a = _pictures(10) // 2
    other = a * np.uint8([1, 2, 1]) + np.uint8([90, 0, 0])
    assert _distance(a, other)['swd'] < 1e-3


def test_images_without_any_detail_stay_finite():
    blank = np.full([4, 64, 64, 3], 255, np.uint8)
    assert np.isfinite(_distance(blank, _pictures(11, 4, 64))['swd'])
    assert _distance(blank, blank // 2)['swd'] < 1


def test_the_smallest_images_have_one_level():
    assert list(_distance(_pictures(12, 4, 16), _pictures(13, 4, 16))) == ['swd_16', 'swd']
    with pytest.raises(AssertionError):
        _distance(np.zeros([2, 8, 8, 3], np.uint8), np.zeros([2, 8, 8, 3], np.uint8))
