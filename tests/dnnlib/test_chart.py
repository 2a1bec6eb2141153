"""A chart's marks are round, and what is drawn on it lies where it belongs."""

import numpy as np
import pytest

from dnnlib import chart

RED = (250, 0, 0)


@pytest.mark.parametrize('low, high, expected', [
    (0, 40, [0, 10, 20, 30, 40]), (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0, 43, range(0, 51, 10)),
    (-3, 4, range(-4, 5, 2)), (0, 0.007, np.arange(5) * 0.002), (0, 25000, range(0, 25001, 5000))])
def test_ticks_are_round_and_enclose(low, high, expected):
    np.testing.assert_allclose(chart.ticks(low, high), list(expected), atol=1e-9)


@pytest.mark.parametrize('value', [0, 5, -7, 1e6])
def test_ticks_of_a_single_value(value):
    found = chart.ticks(value, value)
    assert len(found) >= 2 and found[0] <= value <= found[-1]


def test_lines_dots_and_whiskers_are_where_they_belong():
    sheet = chart.Chart([0, 1, 2], [0, 10], 'title', names=['', 'one', ''], height=300, top=50)
    sheet.line([(0, 0), (1, 5)], RED)
    sheet.dots([(2, 10)], RED)
    sheet.whisker(1.5, 2, 8, RED)
    picture = sheet.picture()
    assert picture.shape == (300, 800, 3) and picture.dtype == np.uint8
    ys, xs = np.nonzero((picture == RED).all(2))
    right, bottom = 780, 300 - 45
    assert abs(xs.min() - 60) <= 2 and abs(xs.max() - right) <= 3
    assert abs(ys[xs <= 62].max() - bottom) <= 2 and abs(ys.min() - 50) <= 3
    column = ys[xs == round(60 + 0.75 * 720)]
    height = bottom - 50
    assert abs(column.min() - (bottom - 0.8 * height)) <= 1
    assert abs(column.max() - (bottom - 0.2 * height)) <= 1
