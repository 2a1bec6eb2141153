import dataclasses

import numpy as np
import pytest

from catalog.demo import attributes
from catalog.demo.draw import canvas, cuts, garments, prints
from catalog.demo.draw.panels import smooth


def sample(**wanted):
    """The first random garment with these attributes."""
    index = 0
    while True:
        garment = attributes.draw(np.random.RandomState([3, index]))
        if all(getattr(garment, name) == value for name, value in wanted.items()):
            return garment
        index += 1


def alpha(garment, size=160, seed=0):
    picture = garments.product(garment, size=size, rng=np.random.RandomState(seed))
    return picture[3]


def extent(cover):
    """(top, bottom, left, right) of a mask, as shares of the image."""
    rows, columns = (np.flatnonzero(cover.max(axis) > 0.5) for axis in (1, 0))
    return np.array([rows[0], rows[-1] + 1, columns[0], columns[-1] + 1]) / len(cover)


def test_same_state_same_image_and_other_state_another():
    garment = sample(category='dress')
    first, again, other = (garments.render(garment, size=96, rng=np.random.RandomState(s))
                           for s in (1, 1, 2))
    assert first.dtype == np.uint8 and first.shape == (96, 96, 3)
    assert np.array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 1


@pytest.mark.parametrize('index', range(40))
def test_products_are_centred_and_fill_the_image(index):
    rng = np.random.RandomState([9, index])
    picture = garments.product(attributes.draw(rng), size=120, rng=rng)
    top, bottom, left, right = extent(picture[3])
    assert picture.shape == (4, 120, 120) and picture.dtype == np.float32
    assert picture[3].min() >= -1e-3 and picture[3].max() <= 1 + 1e-3
    assert 0.84 < max(bottom - top, right - left) < 0.9
    assert abs(top + bottom - 1) < 0.06 and abs(left + right - 1) < 0.06


def test_a_jumpsuit_has_two_legs_and_a_dress_has_not():
    jumpsuit, dress = sample(category='jumpsuit'), sample(category='dress', hem='straight hem')
    for seed in range(5):
        assert alpha(jumpsuit, seed=seed)[130, 80] < 0.1   # between the legs
        assert alpha(jumpsuit, seed=seed)[130].max() > 0.9
        assert alpha(dress, seed=seed)[130, 80] > 0.9


def test_sleeves_widen_the_silhouette():
    bare = sample(category='dress', sleeve='sleeveless', neckline='round neck', silhouette='sheath')
    dressed = dataclasses.replace(bare, sleeve='long sleeves')
    assert alpha(dressed).sum(1)[55] > 1.3 * alpha(bare).sum(1)[55]


def test_an_asymmetric_hem_slopes():
    straight = sample(category='dress', hem='straight hem', silhouette='a-line', length='midi')
    sloping = dataclasses.replace(straight, hem='asymmetric')

    def slope(garment):
        cover = alpha(garment) > 0.5
        ends = [160 - cover[::-1, column].argmax() for column in (64, 96)]
        return abs(ends[0] - ends[1])
    assert slope(straight) < 8 and slope(sloping) > 14


def test_longer_dresses_are_slimmer():
    mini = sample(category='dress', length='mini', silhouette='sheath', sleeve='sleeveless')
    widths = [np.subtract(*extent(alpha(dataclasses.replace(mini, length=length)))[[3, 2]])
              for length in ('mini', 'knee-length', 'midi', 'maxi')]
    assert widths == sorted(widths, reverse=True) and widths[0] > 1.3 * widths[-1]


@pytest.mark.parametrize('colour', sorted(attributes.COLOURS))
def test_a_plain_garment_shows_its_colour(colour):
    plain = sample(category='dress', pattern='plain', detail='unadorned')
    garment = dataclasses.replace(plain, colour=colour)
    picture = garments.product(garment, size=96, rng=np.random.RandomState(4))
    seen = np.median(picture[:3, picture[3] > 0.99], axis=1)
    distance = {name: np.abs(seen - rgb).sum() for name, rgb in attributes.COLOURS.items()}
    assert min(distance, key=distance.get) == colour


@pytest.mark.parametrize('pattern', ['striped', 'polka dot', 'floral', 'checked', 'colour block'])
def test_prints_show_a_second_colour(pattern):
    garment = dataclasses.replace(sample(category='dress'), pattern=pattern, colour='red')
    paint, base, accent = prints.of(garment, np.random.RandomState(6), size=100)
    y, x = np.mgrid[:100, -20:20].astype(np.float32)
    cloth = paint(x, y, x / 20, 'body')
    assert cloth.shape == (3, 100, 40)
    away = np.abs(cloth - base).sum(0) > 60
    assert 0.08 < away.mean() < 0.75
    assert np.abs(accent - base).sum() > 150


@pytest.mark.parametrize('category', sorted(attributes.CHOICES))
def test_every_value_of_every_attribute_can_be_drawn(category):
    base = sample(category=category)
    for name, possible in attributes.choices(category).items():
        for value in possible:
            garment = dataclasses.replace(base, **{name: value})
            cut = cuts.cut(garment, np.random.RandomState(8))
            points = np.concatenate([panel.outline for panel in cut.panels])
            assert np.isfinite(points).all() and np.abs(points).max() < 200
            picture = garments.render(garment, size=48, rng=np.random.RandomState(8))
            assert picture.std() > 3


def test_smooth_passes_through_its_points_and_goes_on_straight():
    points = [(0, 1.0), (2, 3.0), (5, 2.0), (9, 6.0)]
    assert np.allclose(smooth(points, np.array([0, 2, 5, 9, 11])), [1, 3, 2, 6, 8])


def test_fit_centres_and_scales():
    view = canvas.fit(np.array([(-10.0, 0.0), (10.0, 80.0)]), 100, x=0.5, y=0.4, extent=0.8)
    assert np.allclose(view.pixels([(-10, 0), (10, 80)]), [(40, 0), (60, 80)])
