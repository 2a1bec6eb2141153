import dataclasses

import numpy as np
import pytest

from catalog.demo import attributes, phrases, words


def described(count):
    """[(garment, description)]"""
    rng = np.random.RandomState(11)
    garments = [attributes.draw(rng) for _ in range(count)]
    return [(garment, words.describe(garment, rng)) for garment in garments]


def test_every_description_reads_back_to_its_garment():
    for garment, text in described(1500):
        stated = {name: value for name, value in dataclasses.asdict(garment).items()
                  if value not in ('', attributes.UNADORNED)}
        assert words.parse(text) == stated, text
        assert words.consistent(text), (words.missing(text), words.contradictions(text), text)
        assert words.agrees(text, attributes.tags(garment)) == [], text


def test_descriptions_are_varied_ascii_and_of_moderate_length():
    texts = [text for _, text in described(1500)]
    lengths = [len(text.split()) for text in texts]
    assert len(set(texts)) == len(texts)
    assert len({text.split('.')[0] for text in texts}) > 1200
    assert all(text.encode('ascii') and text == text.strip() and '\r' not in text for text in texts)
    assert min(lengths) >= 30 and max(lengths) <= 100 and 45 < np.mean(lengths) < 75
    assert sum('\n- ' in text for text in texts) > 900
    assert sum('Imported' in text for text in texts) > 300


def test_no_slot_is_left_empty():
    for _, text in described(300):
        assert '{' not in text and '  ' not in text and ' .' not in text and ' ,' not in text
        assert ' a a' not in text.lower()


def test_same_state_same_words():
    assert described(20) == described(20)


@pytest.mark.parametrize('name', ['MOODS', 'FEELS', 'OPENINGS', 'PRAISES', 'OCCASIONS', 'PARTNERS',
                                  'OCCASION_FRAMES', 'STYLING_FRAMES', 'FITS', 'MODELS', 'CARES',
                                  'EXTRAS', 'ORIGINS'])
def test_neutral_phrases_name_no_attribute(name):
    for phrase in getattr(phrases, name):
        assert words.mentions(phrase) == {}, phrase


@pytest.mark.parametrize('table', ['NAMES', 'HEMS', 'NECKS', 'DETAILS', 'DETAIL_ITEMS',
                                   'COMPOSITIONS'])
def test_every_phrase_for_a_value_reads_back_to_it(table):
    for value, options in getattr(phrases, table).items():
        for phrase in options:
            assert list(words.parse(phrase).values()) == [value], phrase


def test_a_prompt_is_read_like_a_description():
    assert words.parse('Sleeveless RED asymmetric dress') == {
        'sleeve': 'sleeveless', 'colour': 'red', 'hem': 'asymmetric', 'category': 'dress'}
    assert words.parse('wide leg  jumpsuit,\nfull-length') == {
        'silhouette': 'wide-leg', 'category': 'jumpsuit', 'length': 'full-length'}
    assert words.parse('a coloured shirtdress') == {}


@pytest.mark.parametrize('text, about', [
    ('A red dress. The blue dress is sleeveless.', 'colour'),
    ('A sleeveless dress with long sleeves.', 'sleeve'),
    ('A dress that is also a skirt.', 'category'),
    ('A red skirt with a v-neck.', 'neckline'),
    ('A jumpsuit of midi length.', 'length')])
def test_contradictions_are_found(text, about):
    lines = words.contradictions(text)
    assert len(lines) == 1 and lines[0].startswith(f'{about}: ')
    assert not words.consistent(text)


def test_a_consistent_text_has_no_contradictions():
    assert words.contradictions('A red sleeveless dress. This dress is red.') == []
    assert words.missing('A red sleeveless dress.') == [
        'pattern', 'neckline', 'silhouette', 'length', 'hem', 'fabric']
    assert words.missing('Nothing to see.') == ['category']


def test_agrees_tells_what_differs():
    text = 'A sleeveless red dress.'
    assert words.agrees(text, ['red', 'dress', 'lovely']) == []
    assert words.agrees(text, ['blue', 'midi', 'dress']) == [
        'colour: blue expected, text says red', 'length: midi expected, text says nothing']
    assert words.agrees(text, ['unadorned', 'dress']) == []
    assert words.agrees(f'{text} It is finished with a bow.', ['unadorned', 'dress']) == [
        'detail: unadorned expected, text says bow']
    assert words.agrees('A red and blue dress.', ['red']) == [
        'colour: red expected, text says red and blue']
