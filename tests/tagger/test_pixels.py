"""Colours and patterns measured from drawn garments, whose words are known."""

import dataclasses

import numpy as np
import pytest

from catalog.demo import attributes
from catalog.demo.draw import shots
from catalog.source import Product
from tagger import pixels


def drawn(seed, **wanted):
    """An image, uint8 [h, w, 3], of a random dress with these values."""
    rng = np.random.RandomState([seed, 31])
    garment = attributes.draw(rng, jumpsuits=0)
    return shots.picture('good', dataclasses.replace(garment, **wanted), size=300,
                         rng=rng)


@pytest.mark.parametrize('colour', ['black', 'red', 'green', 'blue', 'yellow', 'pink'])
def test_plain_colours_are_named(colour):
    rgb = drawn(1, colour=colour, pattern='plain', fabric='cotton')
    assert pixels.measured(rgb) == {'colour': colour, 'pattern': 'plain'}


@pytest.mark.parametrize('pattern', ['striped', 'polka dot', 'floral'])
def test_patterned_is_distinguished_from_plain(pattern):
    rgb = drawn(2, colour='red', pattern=pattern, fabric='cotton')
    assert pixels.measured(rgb)['pattern'] == pixels.PATTERNED


def test_swatches_have_their_own_names():
    for name, rgb in attributes.COLOURS.items():
        assert pixels.measured(np.full([32, 32, 3], rgb, np.uint8))['colour'] == name


def test_contrast_is_the_difference_from_the_neighbourhood():
    lab = np.zeros([20, 20, 3])
    inside = np.ones([20, 20], bool)
    assert pixels.contrast(lab, inside) == 0
    lab[:, ::2, 0] = 10  # of 5 columns 3 or 2 are bright: 10 - 6 or 4 - 0
    assert pixels.contrast(lab, inside) == pytest.approx(4)
    assert pixels.contrast(lab, np.zeros([20, 20], bool)) == 0


def test_products_get_what_was_measured_as_attributes_and_tags():
    product = Product(None, 'a.png', '', 'dress', ('dress',), 'a')
    found, = pixels.described([product], [np.full([32, 32, 3], attributes.COLOURS['red'],
                                                  np.uint8)])
    assert found.attributes == (('colour', 'red'), ('pattern', 'plain'))
    assert found.tags == ('dress', 'red', 'plain')
