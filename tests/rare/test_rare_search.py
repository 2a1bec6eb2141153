"""A search goes on where it stopped, and gives the same again."""

import numpy as np
import toy_stylegan
from toy_codes import codes_of, look

from dnnlib import images
from rare import search
from stylegan import generator, labelled


def test_a_search_goes_on_and_is_kept(tmp_path):
    asked, heads = [], {'category': ('dress', 'jumpsuit')}

    def collect(first, number):
        asked.append((first, number))
        w = codes_of(4000, 0)[first:first + number]
        p = look(w)[1].astype(np.float32)
        return labelled.LabelledSample(w, heads, {'category': np.stack([1 - p, p], 1)})
    path = tmp_path / 'search.npz'
    first, _ = search.searched(path, {'of': 'a'}, 1200, collect)
    assert asked == [(0, 1000), (1000, 200)]
    longer, seconds = search.searched(path, {'of': 'a'}, 1500, collect)
    assert asked[2:] == [(1200, 300)] and seconds > 0
    np.testing.assert_array_equal(longer.w, codes_of(4000, 0)[:1500])
    shorter, _ = search.searched(path, {'of': 'a'}, 1200, collect)
    assert len(asked) == 3
    for one, other in ((first.w, shorter.w), (first.probabilities['category'],
                                              shorter.probabilities['category'])):
        np.testing.assert_array_equal(one, other)
    search.searched(path, {'of': 'b'}, 100, collect)
    assert asked[3:] == [(0, 100)]


def test_a_pool_holds_the_pictures_of_its_codes(tmp_path):
    toy_stylegan.snapshot(tmp_path / 'toy.npz')
    gan = generator.Generator(tmp_path / 'toy.npz', threads=1)
    pool = search.pool(gan, 70, 0.5, 3, lambda pictures: pictures[:, ::2, ::2])
    assert pool['w'].shape == (70, 6) and pool['pictures'].shape == (70, 8, 8, 3)
    w = labelled.truncated(gan, gan.w(gan.seeded([3 + 69])), 0.5)
    np.testing.assert_allclose(pool['w'][69:], w, atol=1e-5)
    own = images.to_rgb(gan.images(labelled.layered(w, gan.layers)))[0, ::2, ::2]
    assert np.abs(own.astype(int) - pool['pictures'][69]).max() <= 1
