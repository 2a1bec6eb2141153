"""The training pictures nearest to each fake are written beside it, with how far they are."""

import numpy as np

from catalog.page import neighbours
from dnnlib import images

REALS = np.random.RandomState(1).randint(0, 256, [9, 8, 8, 3]).astype(np.uint8)


def test_each_fake_gets_its_neighbours_nearest_first(tmp_path):
    pictures = np.zeros([2, 8, 8, 3], np.uint8)

    def nearest(asked):
        assert asked is pictures
        return np.array([[3, 8, 0], [8, 5, 3]]), np.array([[0.5, 1.25, 2], [1 / 3, 0.9, 7]])
    rows = neighbours.write(tmp_path, pictures, nearest, lambda index: REALS[index])
    assert [[each['distance'] for each in row] for row in rows] == [[0.5, 1.25, 2], [0.333, 0.9, 7]]
    for row, indices in zip(rows, [[3, 8, 0], [8, 5, 3]]):
        for each, index in zip(row, indices):
            assert each['image'].startswith('products/neighbours/')
            assert np.array_equal(images.read_rgb(tmp_path / each['image']), REALS[index])
            assert not images.read_origin(tmp_path / each['image'])  # they are real ones
    assert len(list((tmp_path / 'products' / 'neighbours').iterdir())) == 4


def test_no_fakes_have_no_neighbours(tmp_path):
    empty = np.zeros([0, 3])
    assert neighbours.write(tmp_path, empty, lambda pictures: (empty, empty), None) == []
