import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from catalog.demo import attributes
from catalog.demo.draw import shots


def shot(kind, seed, size=320):
    rng = np.random.RandomState([2, seed])
    return shots.picture(kind, attributes.draw(rng), size=size, rng=rng)


def busyness(rgb):
    """Standard deviation of the grey values along the upper or lower rim, whichever is larger."""
    grey = rgb.astype(float).mean(2)
    return max(grey[:16].std(), grey[-16:].std())


@pytest.mark.parametrize('seed', range(6))
def test_each_bad_shot_breaks_its_rule(seed):
    good = shot('good', seed)
    assert good.shape == (320, 320, 3)
    small = shot('small', seed)
    assert max(small.shape[:2]) < 260 and min(small.shape[:2]) >= 75
    assert busyness(shot('background', seed)) > 16 and busyness(good) < 8
    for kind in ('composition', 'background', 'not-product'):
        bad = shot(kind, seed)
        assert bad.shape == (320, 320, 3) and bad.dtype == np.uint8
        assert not np.array_equal(bad, good)


def test_composition_is_far_from_the_centre():
    for seed in range(12):
        rng = np.random.RandomState([2, seed])
        garment = dataclasses.replace(attributes.draw(rng), colour='red', pattern='plain')
        rgb = shots.picture('composition', garment, size=320, rng=rng).astype(int)
        y, x = np.argwhere(rgb[..., 0] - rgb[..., 2] > 60).mean(0) / 320 - 0.5
        assert max(abs(y), abs(x)) > 0.1


def test_kinds_sum_to_one():
    assert abs(sum(shots.KINDS.values()) - 1) < 1e-9


def test_a_duplicate_is_the_same_image_in_other_bytes():
    good = shot('good', 1)
    for seed in range(4):
        data = shots.duplicate(good, np.random.RandomState(seed))
        again = Image.open(io.BytesIO(data)).convert('RGB').resize((320, 320))
        assert data != shots.jpeg(good)
        assert np.abs(np.asarray(again, float) - good).mean() < 3


def test_unreadable_files_cannot_be_read():
    data = shots.jpeg(shot('good', 1))
    results = {shots.unreadable(data, np.random.RandomState(seed)) for seed in range(30)}
    assert b'' in results and any(result[:2] == data[:2] for result in results) and len(results) > 3
    for result in results:
        with pytest.raises((OSError, SyntaxError)):
            Image.open(io.BytesIO(result)).load()
