"""Paths meet their stops, close, have no corners where promised, and can be walked evenly."""

import numpy as np
import pytest

from steering import paths
from stylegan import latent

EVERY = [paths.circular, paths.straight, paths.spline]


def _stops(count=4, shape=(6,)):
    return np.random.RandomState([count, 93]).randn(count, *shape)


@pytest.mark.parametrize('kind', EVERY)
@pytest.mark.parametrize('closed', [False, True])
@pytest.mark.parametrize('count', [2, 3, 5])
def test_stops_are_met(kind, closed, count):
    stops = _stops(count)
    path = kind(stops, closed)
    t = np.arange(count + closed)
    np.testing.assert_allclose(path(t), np.take(stops, t, 0, mode='wrap'), atol=1e-6)
    assert path(t).dtype == np.float32 and paths.legs(stops, closed) == t[-1]


@pytest.mark.parametrize('kind', [paths.straight, paths.spline])
def test_styles_of_layers_go_as_one(kind):
    stops = _stops(3, (4, 5))
    alone = kind(stops.reshape(3, 20), True)([0.3, 1.9])
    np.testing.assert_allclose(kind(stops, True)([0.3, 1.9]).reshape(2, 20), alone, atol=1e-6)


def test_circles_are_those_of_slerp_and_lines_are_straight():
    stops = _stops(2)
    np.testing.assert_allclose(paths.circular(stops, False)([0.25])[0],
                               latent.slerp(stops[0], stops[1], 0.25), atol=1e-6)
    np.testing.assert_allclose(paths.straight(stops, False)([0.25])[0],
                               0.75 * stops[0] + 0.25 * stops[1], atol=1e-6)


@pytest.mark.parametrize('closed', [False, True])
def test_a_spline_has_no_corners(closed):
    stops, h = _stops(5), 1e-3
    path = paths.spline(stops, closed)

    def at(t):
        return path(np.array([t % 5 if closed else t]))[0].astype(np.float64)
    for knot in range(0 if closed else 1, 5 if closed else 4):
        before, after = (at(knot) - at(knot - h)) / h, (at(knot + h) - at(knot)) / h
        assert np.abs(after - before).max() < 0.05, knot  # lines differ by about 1
    if not closed:  # the ends are not bent
        bend = at(0) - 2 * at(0.05) + at(0.1)
        assert np.abs(bend).max() < 0.1 * np.abs(at(1.45) - 2 * at(1.5) + at(1.55)).max() + 0.002


def test_a_spline_through_a_line_is_the_line():
    stops = np.outer(np.arange(4.0), [1, 2])
    np.testing.assert_allclose(paths.spline(stops, False)([0.5, 1.2, 2.9])[:, 0], [0.5, 1.2, 2.9],
                               atol=1e-6)


def test_eased_times_rest_at_stops():
    t = paths.eased(np.array([0, 0.01, 0.5, 0.99, 1, 1.5, 2]))
    np.testing.assert_allclose(t[[0, 2, 4, 5, 6]], [0, 0.5, 1, 1.5, 2], atol=1e-9)
    assert t[1] < 0.001 and t[3] > 0.999


def test_times_show_the_last_stop_of_open_paths_only():
    assert paths.times(2, 2, True).tolist() == [0, 0.5, 1, 1.5]
    assert paths.times(2, 2, False).tolist() == [0, 0.5, 1, 1.5, 2]


@pytest.mark.parametrize('closed', [False, True])
def test_even_steps(closed):
    fine = paths.times(2, 200, False)
    seen = np.stack([fine ** 3, np.zeros(len(fine))], 1)  # slow at first, then fast
    t = paths.even(fine, seen, 9, closed)
    assert len(t) == 9 and t[0] == 0 and (t[-1] < 2) == closed
    steps = np.diff(np.append(t, [2] * closed) ** 3)
    np.testing.assert_allclose(steps, np.mean(steps), rtol=0.03)


def test_where_nothing_moves_time_passes_all_the_same():
    t = paths.even(np.arange(5), np.zeros([5, 2]), 5, False)
    np.testing.assert_allclose(t, np.arange(5))
