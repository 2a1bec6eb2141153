"""The search: exact, by colour and by kind, and features that are computed once."""

import types

import numpy as np
import pytest
import toy_explorer

from dnnlib import archive, images
from dnnlib.files import UserError
from explore import library


class Tagger:
    """Features that are the image's mean colour, and how often they were asked for."""

    side, values = 16, {'w': np.zeros(1)}

    def __init__(self):
        self.described = 0

    def features(self, pictures):
        self.described += len(pictures)
        return pictures.reshape(len(pictures), -1, 3).mean(1).astype(np.float32)


def _picture(rgb):
    picture = np.full([1, 32, 32, 3], 255, np.uint8)
    picture[:, 8:24, 8:24] = rgb
    return picture


def _read(products, cache, tagger=None):
    return library.read(products, tagger or Tagger(), cache, lambda: None)


def test_colours_count_the_product_and_not_the_background():
    red, dark, blue = [library.colours(_picture(rgb))[0] for rgb in (
        (200, 20, 30), (190, 30, 30), (20, 20, 200))]
    on_grey = np.full([1, 32, 32, 3], 180, np.uint8)
    on_grey[:, 8:24, 8:24] = (200, 20, 30)
    assert red @ dark > 0.95
    assert red @ blue < 0.4
    assert red @ library.colours(on_grey)[0] > 0.9
    assert np.isclose(red @ red, 1) and np.isfinite(library.colours(_picture(255))).all()


def test_the_nearest_are_those_of_the_highest_cosine(tmp_path):
    rng = np.random.RandomState(3)
    rows = np.abs(rng.randn(500, 5 + 64)).astype(np.float32)
    rows[:, 5:] /= np.linalg.norm(rows[:, 5:], axis=1, keepdims=True)
    products = [types.SimpleNamespace(category='dress' if i % 2 else 'top') for i in range(500)]
    own = library.Library(products, rows)
    tagger = types.SimpleNamespace(features=lambda pictures: np.abs(rng.randn(1, 5)))
    query = _picture((90, 120, 30))
    rng = np.random.RandomState(4)
    features = np.abs(np.random.RandomState(4).randn(1, 5))[0] - rows[:, :5].mean(0)
    centred = rows[:, :5] - rows[:, :5].mean(0)
    cosine = centred @ features / np.linalg.norm(centred, axis=1) / np.linalg.norm(features)
    scores = 0.7 * cosine + 0.3 * rows[:, 5:] @ library.colours(query)[0]
    found = own.nearest(query, tagger, colour=0.3, count=9)
    assert [index for index, _ in found] == np.argsort(-scores)[:9].tolist()
    assert np.allclose([score for _, score in found], np.sort(scores)[::-1][:9], atol=1e-5)


def test_a_category_is_kept_to(tmp_path):
    own = _read(toy_explorer.products(tmp_path), tmp_path / 'cache.npz')
    assert own.categories == ['dress', 'skirt']
    found = own.nearest(_picture(0), Tagger(), 'dress', count=5)
    assert sorted(index for index, _ in found) == [1, 3, 5]
    assert own.nearest(_picture(0), Tagger(), 'hat') == []


def test_an_image_finds_itself_first(tmp_path):
    products = toy_explorer.products(tmp_path)
    own = _read(products, tmp_path / 'cache.npz')
    for index, product in enumerate(products):
        picture = images.square(images.open_rgb(product.image), 16)[np.newaxis]
        assert own.nearest(picture, Tagger())[0][0] == index


def test_features_are_computed_once_for_each_content(tmp_path):
    products, cache, tagger = toy_explorer.products(tmp_path), tmp_path / 'cache.npz', Tagger()
    first = _read(products, cache, tagger)
    assert tagger.described == 6
    products[0].image.rename(tmp_path / 'moved.png')
    moved = products[0]._replace(image=tmp_path / 'moved.png')
    images.write_png(products[1].image, np.zeros([20, 20, 3], np.uint8))
    again = _read([moved] + products[1:], cache, tagger)
    assert tagger.described == 7
    assert np.array_equal(first._rows[0, 3:], again._rows[0, 3:])
    other = Tagger()
    other.values = {'w': np.ones(1)}
    _read(products[1:], cache, other)
    assert other.described == 5


def test_what_cannot_be_read_is_left_out(tmp_path):
    products = toy_explorer.products(tmp_path)
    products[2].image.write_bytes(b'no image')
    products[4].image.unlink()
    own = _read(products, tmp_path / 'cache.npz')
    assert [product.name for product in own.products] == ['0.png', '1.png', '3.png', '5.png']
    for product in products:
        product.image.write_bytes(b'no image')
    with pytest.raises(UserError, match='none of the 6 images can be read'):
        _read(products, tmp_path / 'cache.npz')


def test_a_folder_that_cannot_be_written_to_costs_time_alone(tmp_path, capsys):
    (tmp_path / 'a file').write_text('')
    own = _read(toy_explorer.products(tmp_path), tmp_path / 'a file' / 'cache.npz')
    assert len(own.products) == 6 and 'could not be written' in capsys.readouterr().out


def test_a_damaged_cache_is_made_again(tmp_path):
    products, cache = toy_explorer.products(tmp_path), tmp_path / 'cache.npz'
    _read(products, cache)
    cache.write_bytes(cache.read_bytes()[:100])
    assert len(_read(products, cache).products) == 6
    archive.read(cache, 'cache', 'it is whole again')
