"""The target class: parsed, its products selected, images scored."""

import re

import numpy as np
import pytest

from catalog import source
from dnnlib.files import UserError
from tagger import target_class

HEADS = {'category': ('dress', 'jumpsuit'), 'colour': ('black', 'red'),
         'sleeve': ('', 'long sleeves', 'short sleeves'), 'trim': ('lace', 'red')}


@pytest.mark.parametrize('category, where, expected', [
    ('jumpsuit', '', {'category': 'jumpsuit'}), ('lace', '', {'trim': 'lace'}),
    ('', 'category=jumpsuit, color=black,sleeve=short', {
        'category': 'jumpsuit', 'colour': 'black', 'sleeve': 'short sleeves'}),
    ('jumpsuit', 'sleeve=', {'category': 'jumpsuit', 'sleeve': ''})])
def test_a_target_is_parsed(category, where, expected):
    assert target_class.parse(HEADS, category, where) == expected


@pytest.mark.parametrize('category, where, words', [
    ('hat', '', 'category: dress, jumpsuit; or a value of colour, sleeve, trim'),
    ('red', '', 'a value of colour and trim'), ('', '', 'no class is named'),
    ('', 'size=xl', "no attribute 'size'; known are: category, colour, sleeve, trim"),
    ('', 'colour=gold', "no value 'gold'; known are: black, red"),
    ('', 'sleeve=s,colour', 'is not of the form'),
    ('dress', 'category=jumpsuit', "category cannot be both 'dress' and 'jumpsuit'"),
    ('', 'colour=red,color=black', "colour cannot be both 'red' and 'black'")])
def test_unknown_names_are_refused_with_the_known_ones(category, where, words):
    with pytest.raises(UserError, match=re.escape(words)):
        target_class.parse(HEADS, category, where)


def test_products_of_a_class_are_selected():
    products = [source.Product(None, f'{index}.png', '', kind, (), '', (('colour', colour),))
                for index, (kind, colour) in enumerate([('dress', 'red'), ('skirt', 'red'),
                                                        ('dress', 'blue')])]
    assert target_class.chosen(products, 'dress', 'colour=red') == products[:1]
    with pytest.raises(UserError, match='none of the 3 products is all of category=skirt, '
                       'colour=blue; name fewer attributes'):
        target_class.chosen(products, 'skirt', 'colour=blue')
    with pytest.raises(UserError, match='leave --category and --where out'):
        target_class.chosen(products[:1], 'dress', '')


class Tagger:
    """Predicts a jumpsuit for light images, and always red."""

    heads = HEADS

    def probabilities(self, pictures):
        light = pictures.mean((1, 2, 3)) / 255
        return {'category': np.stack([1 - light, light], 1),
                'colour': np.tile([0.1, 0.9], [len(pictures), 1])}


def test_the_least_probable_head_counts():
    p = {'category': np.array([[0.2, 0.8], [0.9, 0.1]]), 'colour': np.array([[0.4, 0.6]] * 2)}
    target = {'category': 'jumpsuit', 'colour': 'red'}
    np.testing.assert_allclose(target_class.probability(p, HEADS, target), [0.6, 0.1])


def test_a_score_is_the_least_over_augmented_views():
    """One half is light: the tagger below predicts a jumpsuit for it, but not when flipped."""
    class Left(Tagger):
        def probabilities(self, pictures):
            return Tagger.probabilities(self, pictures[:, :, :pictures.shape[2] // 2])
    half = np.zeros([1, 40, 40, 3], np.uint8)
    half[:, :, :20] = 255
    pictures = np.concatenate([half, np.full([1, 40, 40, 3], 250, np.uint8), half[:, :, ::-1]])
    target = {'category': 'jumpsuit'}
    scores = target_class.Scorer(Left(), target, 0.5).scores(pictures)
    assert scores[0] == 0 and scores[1] == pytest.approx(0.85 * 250 / 255, abs=0.01)
    assert scores[2] == target_class.probability(
        Left().probabilities(pictures), HEADS, target)[2] == 0
