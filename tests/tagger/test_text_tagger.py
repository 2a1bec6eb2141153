"""The text tagger on descriptions of the demo, whose truth is known, and on partial texts."""

import json

import numpy as np
import pytest

from catalog.demo import attributes, words
from catalog.source import Product
from dnnlib.files import UserError
from tagger import labels, metrics, text_tagger


@pytest.fixture(scope='module')
def described():
    """Products with descriptions, and a tagger trained on all but the last 60."""
    products = []
    for index in range(360):
        rng = np.random.RandomState([7, index])
        garment = attributes.draw(rng, jumpsuits=0.2)
        text = words.describe(garment, rng)
        columns = tuple((name, getattr(garment, name)) for name in attributes.NAMES[1:])
        products.append(Product(None, '', text, garment.category, (), text, columns))
    heads = labels.heads_of(products)
    known = labels.encode(products[:300], heads)
    model = text_tagger.fit([p.description for p in products[:300]], known, heads)
    return products[300:], heads, model


def test_phrases_have_up_to_three_words_within_punctuation():
    assert text_tagger.phrases('A-line, RED dress') == {
        'a', 'line', 'a line', 'red', 'dress', 'red dress'}
    assert 'one two three' in text_tagger.phrases('one two three four')
    assert 'two three' not in text_tagger.phrases('one two\nthree')


def test_held_out_descriptions_are_classified_correctly(described):
    products, heads, model = described
    figures = metrics.evaluate(model.probabilities([p.description for p in products]),
                               labels.encode(products, heads), heads)
    assert figures['category']['accuracy'] == 1
    assert min(figure['accuracy'] for figure in figures.values()) > 0.9


def test_only_named_values_are_mentioned(described):
    """Parts of descriptions mention a part of the attributes, however probable others are."""
    products, heads, model = described
    right = wrong = missed = 0
    for product in products:
        for line in product.description.replace('. ', '\n').split('\n'):
            truth, found = words.parse(line), model.mentions(line)
            for head in heads:
                value = found[head][0] if head in found else None
                right += value is not None and value == truth.get(head)
                wrong += value is not None and value != truth.get(head)
                missed += value is None and head in truth
    assert right / (right + wrong) > 0.98 and right / (right + missed) > 0.93


def test_a_text_without_phrases_mentions_nothing(described):
    model = described[2]
    assert model.mentions('Machine wash cold. Made in Portugal.') == {}
    assert model.mentions('') == {} and model.evidence('') == {}
    assert all(not values for values in model.named('Good news for everyone').values())


def test_a_silent_text_is_no_answer(described):
    """Neither right nor wrong; but without a word on sleeves the garment may well have none."""
    _, heads, model = described
    texts = ['A red dress with long sleeves', 'Machine wash cold', 'Made in Portugal']
    assert model.answered(texts)['category'].tolist() == [True, False, False]
    assert model.answered(texts[1:])['colour'].tolist() == [False, False]
    truth = {head: np.zeros(3, int) for head in heads}
    figures = metrics.evaluate(model.probabilities(texts), truth, heads, model.answered(texts))
    assert figures['category']['no_answer'] == pytest.approx(2 / 3)
    assert figures['category']['count'] == figures['category']['accuracy'] == 1
    assert [line.split()[-2:] for line in metrics.table(figures).splitlines()[:2]] == [
        ['no', 'answer'], ['66.7', '%']]
    skirt = model.probabilities(['A plain red skirt'])['sleeve'].argmax()
    assert heads['sleeve'][skirt] == '' and model.answered(['A plain red skirt'])['sleeve'].all()


def test_a_text_that_names_two_values_gives_both(described):
    model = described[2]
    said = model.named('A red dress, and also a blue one')
    assert set(said['colour']) == {'red', 'blue'} and said['category'] == ['dress']
    assert model.evidence('A red dress')['colour'] == {'red': ['red']}


def test_a_saved_tagger_is_the_same(described, tmp_path):
    _, heads, model = described
    text_tagger.save(tmp_path / 'texttagger.npz', model, made={'by': 'a test'})
    again = text_tagger.TextTagger(tmp_path / 'texttagger.npz')
    assert again.heads == heads and again.about['made'] == {'by': 'a test'}
    text = 'A sleeveless red dress'
    for name in heads:
        assert np.array_equal(again.probabilities([text])[name], model.probabilities([text])[name])


def test_the_temperature_is_of_the_validation_texts(described):
    products, heads, _ = described
    texts, known = [p.description for p in products], labels.encode(products, heads)
    wrong = {name: (values + 1) % len(heads[name]) for name, values in known.items()}
    model = text_tagger.fit(texts, known, heads, validation=(texts, wrong))
    assert model.about['temperatures']['category'] > 5


def test_other_files_are_refused(tmp_path):
    np.savez(str(tmp_path / 'other.npz'), about=np.array('{"format": "other"}'))
    (tmp_path / 'text.npz').write_text('no archive')
    for name in ('other.npz', 'text.npz', 'none.npz'):
        with pytest.raises(UserError, match=r'give the path of a texttagger\.npz'):
            text_tagger.TextTagger(tmp_path / name)


@pytest.mark.parametrize('change', [
    {'heads': None}, {'heads': [['category', ['dress']]]}, {'evidence': {}},
    {'config': {'threshold': 'x'}}, {'temperatures': {}},
    {'evidence': {'category': [['dress', 'a']]}}])
def test_file_contents_are_validated(described, tmp_path, change):
    text_tagger.save(tmp_path / 'x.npz', described[2])
    with np.load(str(tmp_path / 'x.npz')) as arrays:
        values = dict(arrays)
    about = json.dumps(dict(json.loads(str(values.pop('about'))), **change))
    np.savez(str(tmp_path / 'x.npz'), about=np.array(about), **values)
    with pytest.raises(UserError, match=r'give the path of a texttagger\.npz') as error:
        text_tagger.TextTagger(tmp_path / 'x.npz')
    assert str(error.value).isprintable()
