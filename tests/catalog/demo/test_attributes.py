import collections
import dataclasses

import numpy as np

from catalog.demo import attributes


def drawn(count, **options):
    rng = np.random.RandomState(5)
    return [attributes.draw(rng, **options) for _ in range(count)]


def test_every_garment_is_wearable_and_inside_the_vocabulary():
    for garment in drawn(1000):
        assert attributes.wearable(garment)
        assert garment.colour in attributes.COLOURS
        for name, possible in attributes.choices(garment.category).items():
            assert getattr(garment, name) in possible


def test_same_state_same_garment():
    assert drawn(20) == drawn(20)
    assert len(set(drawn(200))) > 190


def test_dresses_dominate_and_jumpsuits_are_rare():
    share = collections.Counter(garment.category for garment in drawn(4000))
    assert share['dress'] > 2000
    assert 0.02 < share['jumpsuit'] / 4000 < 0.04


def test_the_share_of_jumpsuits_is_an_option():
    assert all(garment.category == 'jumpsuit' for garment in drawn(20, jumpsuits=1.0))
    assert not any(garment.category == 'jumpsuit' for garment in drawn(300, jumpsuits=0.0))


def test_no_word_belongs_to_two_attributes():
    seen = {}
    for category in attributes.CHOICES:
        for name, possible in attributes.choices(category).items():
            for value in possible:
                assert value == '' or seen.setdefault(value, name) == name
    seen.update(dict.fromkeys(attributes.CHOICES, 'category'))
    assert attributes.vocabulary() == seen


def test_tags_name_everything_that_applies_with_the_category_last():
    for garment in drawn(200):
        tags = attributes.tags(garment)
        assert tags[-1] == garment.category
        assert sorted(tags) == sorted(value for value in dataclasses.astuple(garment) if value)


def test_wearable_refuses_a_halter_with_sleeves():
    garment = next(garment for garment in drawn(500) if garment.neckline == 'halter neck')
    assert not attributes.wearable(dataclasses.replace(garment, sleeve='long sleeves'))
