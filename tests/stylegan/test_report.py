"""Charts of a training run."""

import numpy as np
import pytest

from dnnlib.files import UserError
from stylegan import report

BLUE, ORANGE = (31, 90, 180), (205, 75, 30)


def _spots(picture, colour):
    """Pixels of a colour inside the axes: x in px, and y in px from the lower axis."""
    ys, xs = np.nonzero((picture[30:355, 61:] == colour).all(2))
    return xs + 61, 355 - (ys + 30)


def test_points_are_where_they_belong():
    points = [{'kimg': 10, 'swd': 20, 'other': 7}, {'kimg': 20, 'other': 8},
              {'kimg': 40, 'swd': 40}]
    picture = report.curve(points)
    assert picture.shape == (400, 800, 3) and picture.dtype == np.uint8
    xs, ys = _spots(picture, BLUE)
    left, right = 60 + 720 / 4, 780  # 0..40 on both axes: 720 px wide, 325 px high
    assert abs(xs.min() - left) <= 3 and abs(xs.max() - right) <= 3
    assert abs(ys.min() - 325 / 2) <= 3 and abs(ys.max() - 325) <= 3
    middle = ys[xs == 510]  # the point without the figure does not bend the line
    assert len(middle) and np.abs(middle - 325 * 0.75).max() <= 3
    assert not len(_spots(picture, ORANGE)[0])


def test_a_change_of_resolution_breaks_the_line():
    points = [{'kimg': kimg, 'swd': 10, 'resolution': 32 if kimg < 25 else 64}
              for kimg in (10, 20, 30, 40)]
    xs, _ = _spots(report.curve(points), BLUE)
    assert len(xs[(xs > 245) & (xs < 415)]) and not len(xs[(xs > 425) & (xs < 595)])
    assert len(xs[(xs > 605) & (xs < 775)])


def test_two_figures_share_the_axes():
    points = [{'kimg': kimg, 'a': 100, 'b': 25} for kimg in (5, 10)]
    picture = report.curve(points, ('a', 'b'))
    assert np.median(_spots(picture, BLUE)[1]) == pytest.approx(325, abs=3)
    assert np.median(_spots(picture, ORANGE)[1]) == pytest.approx(325 / 4, abs=3)
    names = picture[:25] < 250
    assert names[:, 60:200].any() and names[:, 210:].any()


def test_axes_have_numbers():
    one, other = [report.curve([{'kimg': 10, 'swd': value}]) for value in (40, 400)]
    assert not np.array_equal(one[:, :58], other[:, :58])  # the numbers of the y axis
    assert np.array_equal(one[358:], other[358:]) and (one[358:] < 128).any()


def test_a_figure_that_was_not_measured():
    with pytest.raises(UserError, match='no point of this run has swd'):
        report.curve([{'kimg': 1, 'd_loss': 2}])
