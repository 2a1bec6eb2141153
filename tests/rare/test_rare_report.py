"""What is asked for is understood, and what comes back is a catalogue with its price."""

import numpy as np
import pytest

from catalog import source
from rare import report
from dnnlib import images
from dnnlib.files import UserError

HEADS = {'category': ('dress', 'jumpsuit'), 'colour': ('black', 'red'),
         'sleeve': ('', 'long sleeves', 'short sleeves'), 'trim': ('lace', 'red')}


@pytest.mark.parametrize('category, where, expected', [
    ('jumpsuit', '', {'category': 'jumpsuit'}), ('lace', '', {'trim': 'lace'}),
    ('', 'category=jumpsuit, color=black,sleeve=short', {
        'category': 'jumpsuit', 'colour': 'black', 'sleeve': 'short sleeves'}),
    ('jumpsuit', 'sleeve=', {'category': 'jumpsuit', 'sleeve': ''})])
def test_what_is_asked_for(category, where, expected):
    assert report.wanted(HEADS, category, where) == expected


@pytest.mark.parametrize('category, where, words', [
    ('hat', '', 'category: dress, jumpsuit; colour: black, red'),
    ('red', '', 'a value of colour and trim'), ('', '', 'nothing was asked for'),
    ('', 'size=xl', "no attribute 'size'; known are: category, colour, sleeve, trim"),
    ('', 'colour=gold', "no value 'gold'; known are: black, red"),
    ('', 'sleeve=s,colour', 'is to read like'),
    ('dress', 'category=jumpsuit', "category cannot be both 'dress' and 'jumpsuit'"),
    ('', 'colour=red,color=black', "colour cannot be both 'red' and 'black'")])
def test_what_nobody_knows_is_answered_with_what_is_known(category, where, words):
    with pytest.raises(UserError) as error:
        report.wanted(HEADS, category, where)
    assert words in str(error.value)


def test_products_are_chosen_by_what_they_are():
    products = [source.Product(None, '%d.png' % index, '', kind, (), '', (('colour', colour),))
                for index, (kind, colour) in enumerate([('dress', 'red'), ('skirt', 'red'),
                                                        ('dress', 'blue')])]
    assert report.chosen(products, 'dress', 'colour=red') == products[:1]
    with pytest.raises(UserError, match='not one of the 3 products is all of category=skirt, '
                       'colour=blue; ask for less'):
        report.chosen(products, 'skirt', 'colour=blue')
    with pytest.raises(UserError, match='leave --category and --where out'):
        report.chosen(products[:1], 'dress', '')


class Judge:
    """A tagger that sees a jumpsuit where a picture is light, and red always."""

    heads = HEADS

    def probabilities(self, pictures):
        light = pictures.mean((1, 2, 3)) / 255
        return {'category': np.stack([1 - light, light], 1),
                'colour': np.tile([0.1, 0.9], [len(pictures), 1])}


def test_the_least_sure_part_counts():
    p = {'category': np.array([[0.2, 0.8], [0.9, 0.1]]), 'colour': np.array([[0.4, 0.6]] * 2)}
    asked = {'category': 'jumpsuit', 'colour': 'red'}
    np.testing.assert_allclose(report.scores(p, HEADS, asked), [0.6, 0.1])
    pictures = np.uint8([10, 20, 200, 250])[:, None, None, None] * np.ones([1, 2, 2, 3], np.uint8)
    assert report.judged(Judge(), asked, pictures) == 0.5
    assert report.judged(Judge(), {'colour': 'black'}, pictures) == 0
    assert report.knows(HEADS, asked) and not report.knows(HEADS, {'colour': 'gold'})


def test_a_picture_is_what_it_shows_from_every_side():
    """One half is light: as it is the tagger below says jumpsuit, mirrored it does not."""
    class Left(Judge):
        def probabilities(self, pictures):
            return Judge.probabilities(self, pictures[:, :, :pictures.shape[2] // 2])
    half = np.zeros([1, 40, 40, 3], np.uint8)
    half[:, :, :20] = 255
    pictures = np.concatenate([half, np.full([1, 40, 40, 3], 250, np.uint8), half[:, :, ::-1]])
    asked = {'category': 'jumpsuit'}
    steady = report.steady_scores(Left(), asked, pictures, 0.5)
    assert steady[0] == 0 and steady[1] == pytest.approx(0.85 * 250 / 255, abs=0.01)
    assert steady[2] == report.scores(Left().probabilities(pictures), HEADS, asked)[2] == 0


def test_what_a_shift_keeps():
    dark, light = [np.full([3, 2, 2, 3], value, np.uint8) for value in (20, 250)]
    asked = {'colour': 'red'}
    assert report.kept(Judge(), asked, dark, light) == {}
    assert report.kept(Judge(), {'category': 'jumpsuit'}, dark, light) == {'colour': 1.0}
    row = dict(_figures(), kept={'colour': 0.25, 'sleeve': 1.0})
    assert 'keeps, of what the pictures showed before: colour 25 %, sleeve 100 %' in (
        report.table({'shift': row}))


class Harvest:
    pictures, raw = np.full([4, 2, 2, 3], 250, np.uint8), np.full([8, 2, 2, 3], 5, np.uint8)
    drawn, seconds = 8, 4.0


def _figures(**more):
    return report.measured(Harvest, **dict(dict(
        asked={'category': 'jumpsuit'}, judge=Judge(), diversity=lambda pictures: 3.0,
        nearest=lambda pictures: np.array([1, 2, 3, 10.0]), found=6.0, reals=4.0,
        before=(92, 6)), **more))


def test_figures_of_a_method():
    row = _figures()
    expected = {'accepted': 4, 'drawn': 8, 'yield': 1, 'yield_of_all_drawn': 0, 'diversity': 3,
                'diversity_of_found': 0.5, 'diversity_of_real': 0.75, 'nearest_median': 2.5,
                'nearest_least': 1, 'pictures_each': 2, 'seconds_each': 1,
                'pictures_each_all_in': 25, 'seconds_each_all_in': 2.5}
    assert row == expected
    bare = _figures(judge=None, nearest=None, found=None, reals=None)
    assert {name for name, value in bare.items() if value is None} == {
        'yield', 'yield_of_all_drawn', 'diversity_of_found', 'diversity_of_real',
        'nearest_median', 'nearest_least'}
    search = dict(row, pictures_each=40.0)
    text = report.table({'gaussian': bare, 'search': search})
    assert 'gaussian: 20.0 times fewer pictures' in text and '(1.6 with the search counted)' in text
    assert text.splitlines()[1].split()[:3] == ['gaussian', '4', '-']


def test_the_catalogue_can_be_read_again(tmp_path):
    products = [{'image': 'products/%d.png' % i, 'text': 'A "red", long\nthing', 'category':
                 'jumpsuit', 'attributes': {'category': 'jumpsuit', 'colour': 'red',
                                            'sleeve': ''}} for i in range(2)]
    for product in products:
        images.write_png(tmp_path / product['image'], np.zeros([4, 4, 3], np.uint8))
    report.write_table(tmp_path, products, HEADS)
    read = source.read(tmp_path)
    assert [p.description for p in read] == ['A "red", long\nthing'] * 2
    assert read[0].attributes == (('colour', 'red'), ('sleeve', ''), ('trim', ''))
    assert report.among(read, {'category': 'jumpsuit', 'colour': 'red'}) == [0, 1]
    assert report.among(read, {'colour': 'black'}) == []
