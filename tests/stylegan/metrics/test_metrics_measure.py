"""Figures come with a floor at the same number of images; nearest neighbours are the nearest."""

import json

import numpy as np
import pytest

from dnnlib.files import UserError
from stylegan.metrics import distances, measure, swd


def _pictures(seed, count, side=32, low=0):
    """Images of a few large blocks of colour."""
    blocks = np.random.RandomState(seed).randint(low, 256, [count, 4, 4, 3])
    return blocks.repeat(side // 4, 1).repeat(side // 4, 2).astype(np.uint8)


def _features(pictures):
    assert pictures.dtype == np.uint8
    return pictures[:, ::8, ::8].reshape(len(pictures), -1) / 255


def test_without_features_there_is_only_the_distance_of_patches():
    result = measure.measure(_pictures(0, 61), _pictures(1, 50), seed=3)
    assert (result['n'], result['size'], result['seed']) == (30, 32, 3)
    assert list(result['figures']) == ['swd_32', 'swd_16', 'swd']
    assert all(set(figure) == {'value', 'floor'} for figure in result['figures'].values())
    assert json.loads(json.dumps(result)) == result


@pytest.mark.slow
def test_fakes_of_the_same_distribution_reach_the_floor():
    reals = _pictures(2, 240, 16)
    same = measure.measure(reals, _pictures(3, 120, 16), seed=0, features=_features)['figures']
    other = measure.measure(reals, _pictures(4, 120, 16, low=150), seed=0,
                            features=_features)['figures']
    assert set(same) == {
        'swd_16', 'swd', 'frechet', 'kernel', 'kernel_error', 'precision', 'recall'}
    assert same['swd']['value'] < 1.3 * same['swd']['floor']
    assert same['frechet']['value'] < 1.3 * same['frechet']['floor']
    assert abs(same['kernel']['value']) < 4 * same['kernel_error']['value']
    assert abs(same['precision']['value'] - same['precision']['floor']) < 0.15
    assert other['frechet']['value'] > 3 * other['frechet']['floor']
    assert other['kernel']['value'] > 4 * other['kernel_error']['value']
    assert other['recall']['value'] < other['recall']['floor'] / 2
    assert [other[name]['floor'] for name in other] == [same[name]['floor'] for name in same]


def test_both_comparisons_have_the_same_reals_and_as_many_images(monkeypatch):
    calls = []

    def watched(function):
        def spy(a, b, **more):
            calls.append((a, b))
            return function(a, b, **more)
        return spy
    monkeypatch.setattr(swd, 'distance', watched(swd.distance))
    monkeypatch.setattr(distances, 'frechet', watched(distances.frechet))
    reals, fakes = _pictures(5, 100, 16), _pictures(6, 45, 16)
    measure.measure(reals, fakes, seed=1, features=_features)
    assert [(len(a), len(b)) for a, b in calls] == [(45, 45)] * 4
    (half, made), (seen_half, _), (again, rest), (seen_again, _) = calls
    assert np.array_equal(made, fakes) and np.array_equal(half, again)
    assert np.array_equal(seen_half, _features(half)) and np.array_equal(seen_half, seen_again)
    known = {picture.tobytes() for picture in reals}
    ours, others = [{picture.tobytes() for picture in pictures} for pictures in (half, rest)]
    assert len(ours) == len(others) == 45 and not ours & others and ours | others < known


def test_same_seed_same_figures():
    reals, fakes = _pictures(7, 60, 16), _pictures(8, 30, 16)
    results = [measure.measure(reals, fakes, seed=seed)['figures'] for seed in (0, 0, 1)]
    assert results[0] == results[1] != results[2]


@pytest.mark.parametrize('reals, fakes', [(39, 20), (40, 19)])
def test_too_few_images_are_refused(reals, fakes):
    with pytest.raises(UserError, match=f'{reals} real and {fakes} .* too few .* 40 and 20'):
        measure.measure(_pictures(9, reals), _pictures(9, fakes), seed=0)


def test_too_few_are_not_asked_for():
    with pytest.raises(UserError, match='--count 39 is too small; the least is 40'):
        measure.Metrics(count=39)


def test_too_small_images_are_refused():
    with pytest.raises(UserError, match='8 px are too small to measure; the least is 16 px'):
        measure.measure(_pictures(9, 40, 8), _pictures(9, 20, 8), seed=0)


def test_report_is_a_table():
    text = measure.report({'n': 500, 'size': 64, 'seed': 0, 'figures': {
        'swd_64': {'value': 12.3456, 'floor': 2.5}, 'path_length': {'value': 0.25}}})
    lines = text.split('\n')
    assert '500 generated images of 64 px against 500 real ones; floor: 500 other' in lines[0]
    assert [line.split() for line in lines[3:]] == [
        ['figure', 'value', 'floor'], ['swd_64', '12.35', '2.5'], ['path_length', '0.25', '-']]
    assert len({len(line) for line in lines[3:]}) == 1


def test_thumbnails_are_means():
    pictures = np.random.RandomState(10).randint(0, 256, [2, 64, 64, 3]).astype(np.uint8)
    small = measure.thumbnails(pictures).reshape(2, 32, 32, 3)
    np.testing.assert_allclose(small[1, 3, 31], pictures[1, 6:8, 62:].mean((0, 1)) / 255, rtol=1e-5)
    assert measure.thumbnails(pictures[:, :16, :16]).shape == (2, 768)


class Reals:
    """Real images as `neighbours` reads them; notes how many it held at a time."""

    def __init__(self, count, side=16):
        self.pictures, self.most = _pictures(11, count, side), 0

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, chosen):
        result = self.pictures[chosen]
        self.most = max(self.most, len(result))
        return result


def _tiles(sheet, columns, side):
    step = side + 2
    return [[sheet[y:y + side, x * step:x * step + side] for x in range(columns)]
            for y in range(0, len(sheet), step)]


def _changed(picture, amount):
    """The image with its first rows made darker or lighter."""
    result = picture.astype(int)
    result[:4] += np.where(result[:4] < 128, amount, -amount)
    return result.astype(np.uint8)


@pytest.mark.parametrize('features', [None, _features])
def test_neighbours_are_beside_their_fakes(features):
    reals = Reals(150)
    reals.pictures[20] = _changed(reals.pictures[140], 60)
    copy, mirrored = _changed(reals.pictures[140], 9), reals.pictures[70, :, ::-1]
    fakes = np.stack([copy, mirrored])
    sheet = measure.neighbour_sheet(fakes, reals, features=features, count=3)
    assert sheet.dtype == np.uint8 and sheet.shape == (2 * 16 + 2, 4 * 16 + 3 * 2, 3)
    first, second = _tiles(sheet, 4, 16)
    assert np.array_equal(first[0], copy) and np.array_equal(first[1], reals.pictures[140])
    assert np.array_equal(first[2], reals.pictures[20])
    assert np.array_equal(second[0], mirrored) and np.array_equal(second[1], reals.pictures[70])
    for row in (first, second):
        assert len({tile.tobytes() for tile in row[1:]}) == 3  # each real image once
    assert reals.most < 150


def test_neighbours_are_ranked_by_pixels():
    reals, fake = Reals(60), _pictures(12, 1, 16)
    row, = _tiles(measure.neighbour_sheet(fake, reals, count=4), 5, 16)
    gaps = [min(np.square(fake[0].astype(int) - real).sum(),
                np.square(fake[0, :, ::-1].astype(int) - real).sum()) for real in reals.pictures]
    for tile, index in zip(row[1:], np.argsort(gaps)):
        assert np.array_equal(tile, reals.pictures[index])


def test_distances_are_in_units_of_the_usual_one():
    reals, copy = Reals(60), _pictures(12, 2, 16)
    copy[1] = reals.pictures[7, :, ::-1]
    indices, gaps = measure.nearest(copy, reals, count=4)

    def gap(a, b):
        return min(np.sqrt(np.square((a.astype(float) - side) / 255).sum())
                   for side in (b, b[:, ::-1]))
    usual = np.median([min(gap(a, b) for j, b in enumerate(reals.pictures) if i != j)
                       for i, a in enumerate(reals.pictures)])
    assert indices.shape == gaps.shape == (2, 4) and (np.diff(gaps, axis=1) >= 0).all()
    assert indices[1, 0] == 7 and gaps[1, 0] < 1e-3
    for picture, row, found in zip(copy, indices, gaps):
        expected = [gap(picture, reals.pictures[i]) / usual for i in row]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_fewer_real_images_than_asked_for():
    sheet = measure.neighbour_sheet(_pictures(13, 1, 16), Reals(2), count=5)
    assert sheet.shape == (16, 3 * 16 + 2 * 2, 3)
    indices, gaps = measure.nearest(_pictures(13, 1, 16), Reals(1), count=3)
    assert indices.tolist() == [[0]] and gaps[0, 0] > 0
