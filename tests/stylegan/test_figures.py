"""Every figure has the right image in the right place; a numpy generator stands in for a net."""

import numpy as np
import pytest

from stylegan import figures, latent


class Stub:
    """Draws ws itself: a column of pixels per layer, its colour told by the layer's style."""

    def __init__(self, res=16):
        self.res, self.latent_size, self.layers = res, 3, 2 * (res.bit_length() - 1) - 2
        self.w_avg = np.float32([100, 100, 100])

    def seeded(self, seeds):
        return np.stack([[40 + seed, 60 + seed, 80 + seed] for seed in seeds]).astype(np.float32)

    def w(self, z):
        return z

    def truncate(self, w, psi=0.7, cutoff=8):
        ws = np.repeat(w[:, np.newaxis], self.layers, 1)
        share = np.where(np.arange(self.layers) < cutoff, psi, 1)[:, np.newaxis]
        return self.w_avg + (ws - self.w_avg) * share

    def pictures(self, ws):
        assert ws.shape[1:] == (self.layers, 3)
        result = np.zeros([len(ws), self.res, self.res, 3], np.uint8)
        result[:, :, :self.layers] = np.rint(np.clip(ws, 0, 255))[:, np.newaxis]
        return result


def _tiles(sheet, columns, side):
    """The images of a sheet, row by row."""
    step = side + figures.GAP
    rows = (sheet.shape[0] + figures.GAP) // step
    return [sheet[y * step:y * step + side, x * step:x * step + side]
            for y in range(rows) for x in range(columns)]


def _expected(gan, seed, psi=1.0):
    return gan.pictures(gan.truncate(gan.seeded([seed]), psi))[0]


def test_grid_shows_its_seeds_in_order():
    gan = Stub()
    sheet = figures.grid(gan, [3, 9, 4, 30, 7], psi=0.5, columns=3, side=16)
    tiles = _tiles(sheet, 3, 16)
    for tile, seed in zip(tiles, [3, 9, 4, 30, 7]):
        assert np.array_equal(tile, _expected(gan, seed, 0.5))
    assert (tiles[5] == 255).all()


@pytest.mark.parametrize('res, side', [(16, 16), (16, 31), (8, 33), (16, 8)])
@pytest.mark.parametrize('columns', [1, 2, 3])
def test_sheets_have_even_sides(res, side, columns):
    sheet = figures.grid(Stub(res), range(3), psi=1, columns=columns, side=side)
    shown = max(res, side)
    assert sheet.shape[0] % 2 == 0 and sheet.shape[1] % 2 == 0
    assert sheet.shape[1] - columns * (shown + figures.GAP) + figures.GAP in (0, 1)


def test_small_images_are_shown_larger():
    sheet = figures.grid(Stub(8), [0], psi=1, columns=1, side=64)
    assert sheet.shape == (64, 64, 3)
    assert np.abs(sheet[32, 4].astype(int) - [40, 60, 80]).max() <= 6


def test_truncation_goes_past_the_average_in_all_layers():
    gan, psis = Stub(64), (1, 0.5, 0, -1)  # ten layers, two more than usual truncation reaches
    tiles = _tiles(figures.truncation(gan, [5, 20], psis=psis, side=64), 4, 64)
    for row, seed in enumerate([5, 20]):
        for tile, psi in zip(tiles[4 * row:], psis):
            colour = 100 + psi * (gan.seeded([seed])[0] - 100)
            assert np.abs(tile[:, :10] - colour).max() <= 0.5


def test_mixing_takes_the_rows_band_from_the_column():
    gan, rows = Stub(64), ('coarse', 'middle', 'fine')
    tiles = _tiles(figures.mixing(gan, 10, psi=1, columns=2, rows=rows, side=64), 3, 64)
    assert (tiles[0] == 255).all()
    sources = [_expected(gan, seed) for seed in (10, 11)]
    assert all(np.array_equal(tile, source) for tile, source in zip(tiles[1:3], sources))
    bands = latent.bands(gan.layers)
    for row, band in enumerate(rows):
        target = _expected(gan, 12 + row)
        left, mixed = tiles[3 + 3 * row], tiles[4 + 3 * row:6 + 3 * row]
        assert np.array_equal(left, target)
        for tile, source in zip(mixed, sources):
            for layer in range(gan.layers):
                origin = source if layer in bands[band] else target
                assert np.array_equal(tile[:, layer], origin[:, layer]), (band, layer)


def test_walk_closes_and_panels_differ():
    gan = Stub()
    frames = list(figures.walk(gan, 0, psi=1, stops=3, frames=4, columns=2, rows=1, side=16))
    assert len(frames) == 12 and len({frame.shape for frame in frames}) == 1
    for index, frame in enumerate(frames[::4]):  # at the stops
        left, right = _tiles(frame, 2, 16)
        assert np.abs(left - _expected(gan, index).astype(int)).max() <= 1
        assert np.abs(right - _expected(gan, 3 + index).astype(int)).max() <= 1


def test_mixing_walk_shows_source_target_and_result():
    gan = Stub(64)
    frames = list(figures.mixing_walk(gan, 0, psi=1, stops=2, frames=3, side=64))
    assert len(frames) == 6
    first = latent.bands(gan.layers)['middle'][0]
    for frame in frames:
        assert frame.shape[0] % 2 == 0 and frame.shape[1] % 2 == 0
        corner, source, target, result = _tiles(frame, 2, 64)
        assert (corner == 255).all()
        assert np.array_equal(result[:, first:], source[:, first:])
        assert np.array_equal(result[:, :first], target[:, :first])
    assert np.array_equal(_tiles(frames[0], 2, 64)[1], _expected(gan, 0))
    assert np.array_equal(_tiles(frames[0], 2, 64)[2], _expected(gan, 2))


def test_three_panels_interpolate_a_band():
    gan = Stub(64)
    source, target = gan.truncate(gan.seeded([0, 100]), 1)
    frame, = figures.three_panels(gan, [(source, target, 0.5)], range(2, 4), side=64)
    corner, upper, lower, result = _tiles(frame, 2, 64)
    assert (corner == 255).all() and np.array_equal(upper, _expected(gan, 0))
    assert np.array_equal(lower, _expected(gan, 100))
    assert (result[:, 2:4] == [90, 110, 130]).all()
    assert np.array_equal(np.delete(result, [2, 3], 1), np.delete(lower, [2, 3], 1))


def test_mixes_are_of_every_pair():
    gan = Stub(64)
    sources, targets = gan.truncate(gan.seeded([0, 30]), 1), gan.truncate(gan.seeded([60]), 1)
    tiles = _tiles(figures.mixes(gan, sources, targets, range(8, 10), side=64), 3, 64)
    assert len(tiles) == 6 and np.array_equal(tiles[2], _expected(gan, 30))
    assert np.array_equal(tiles[3], _expected(gan, 60))
    assert np.array_equal(tiles[5][:, 8:10], tiles[2][:, 8:10])
    assert np.array_equal(tiles[5][:, :8], tiles[3][:, :8])


def test_a_sweep_moves_every_row_by_every_amount():
    gan = Stub(64)
    ws = gan.truncate(gan.seeded([10, 20]), 1)
    sheet = figures.sweep(gan, ws, np.array([1, 0, 2]), [-5, 0, 5], range(1), side=64)
    tiles = _tiles(sheet, 3, 64)
    assert np.array_equal(tiles[1], _expected(gan, 10))
    assert (tiles[5][:, 0] == [65, 80, 110]).all()
    assert np.array_equal(tiles[5][:, 1:], _expected(gan, 20)[:, 1:])


def test_strips_have_a_row_each_and_frames_even_sides():
    pictures = Stub().pictures(Stub().truncate(Stub().seeded(range(6)), 1))
    tiles = _tiles(figures.strips([pictures[:3], pictures[3:]], side=16), 3, 16)
    assert all(np.array_equal(tile, picture) for tile, picture in zip(tiles, pictures))
    assert figures.framed(pictures[0], 31).shape == (32, 32, 3)
