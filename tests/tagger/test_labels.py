"""What a catalogue says as numbers, and the figures of guesses at it, against sums by hand."""

import numpy as np
import pytest

from catalog.source import Product
from tagger import labels


def product(category, key='', **attributes):
    return Product(None, '', '', category, (), key, tuple(attributes.items()))


PRODUCTS = [product('dress', colour='red', sleeve='long', size='one'),
            product('skirt', colour='red', sleeve='', size='one'),
            product('dress', colour='navy', sleeve='long', size='one')]


def test_heads_are_the_category_and_columns_that_ask_something():
    heads = labels.heads_of(PRODUCTS)
    assert list(heads) == ['category', 'colour', 'sleeve']
    assert heads['category'] == ('dress', 'skirt') and heads['sleeve'] == ('', 'long')


def test_free_text_is_no_attribute_but_many_categories_are():
    many = [product(f'kind {i}', name=f'name {i}') for i in range(41)]
    assert list(labels.heads_of(many)) == ['category']
    assert 'name' in labels.heads_of(many[:40])
    assert labels.heads_of([product('dress')] * 3) == {}


def test_labels_number_the_values_and_mark_what_is_not_known():
    heads = labels.heads_of(PRODUCTS)
    encoded = labels.encode(PRODUCTS + [product('hat')], heads)
    assert encoded['category'].tolist() == [0, 1, 0, labels.UNKNOWN]
    assert encoded['colour'].tolist() == [1, 1, 0, labels.UNKNOWN]
    assert encoded['sleeve'].dtype == np.int32


def test_parts_hold_everything_once_and_equal_keys_together():
    keys = [str(i % 20) for i in range(60)]
    parts = labels.split(keys, (0.1, 0.25), seed=3)
    assert sorted(np.concatenate(parts)) == list(range(60))
    assert [len(part) for part in parts] == [39, 6, 15]
    owners = [{keys[i] for i in part} for part in parts]
    assert not (owners[0] & owners[1] or owners[0] & owners[2] or owners[1] & owners[2])
    assert [p.tolist() for p in parts] == [p.tolist() for p in labels.split(keys, (0.1, 0.25), 3)]
    assert [p.tolist() for p in parts] != [p.tolist() for p in labels.split(keys, (0.1, 0.25), 4)]


def test_weights_make_values_equal_and_average_to_one():
    known = np.array([0, 0, 0, 2, labels.UNKNOWN])
    weights = labels.class_weights(known, 3)
    assert weights.tolist() == pytest.approx([4 / 6, 0, 2])
    assert weights[known[known >= 0]].mean() == pytest.approx(1)


def test_scores_of_a_confusion_matrix():
    matrix = labels.confusion([0, 0, 0, 1, 1, -1], [0, 0, 1, 1, 0, 1], 3)
    assert matrix.tolist() == [[2, 1, 0], [1, 1, 0], [0, 0, 0]]
    scores = labels.scores(matrix)
    assert scores['precision'].tolist() == pytest.approx([2 / 3, 1 / 2, 0])
    assert scores['recall'].tolist() == pytest.approx([2 / 3, 1 / 2, 0])
    assert labels.macro_f1(matrix) == pytest.approx((2 / 3 + 1 / 2) / 2)  # the third never occurs


def test_evaluation_has_every_figure_and_tables_show_it():
    heads = {'category': ('dress', 'skirt'), 'sleeve': ('', 'long')}
    probabilities = {'category': np.array([[.9, .1], [.2, .8], [.6, .4]]),
                     'sleeve': np.array([[.5, .5], [1, 0], [0, 1]])}
    known = {'category': np.array([0, 1, 1]), 'sleeve': np.array([0, 0, -1])}
    report = labels.evaluate(probabilities, known, heads)
    assert report['category']['confusion'] == [[1, 0], [1, 1]]
    assert report['category']['accuracy'] == pytest.approx(2 / 3)
    assert report['category']['values']['skirt']['recall'] == pytest.approx(1 / 2)
    assert report['sleeve']['count'] == 2 and report['sleeve']['macro_f1'] == 1
    assert labels.table(report).splitlines()[1].split()[:2] == ['category', '0.667']
    assert '(none)' in labels.values_table(report['sleeve'])
    rows = labels.confusion_table(report['category']['confusion'], heads['category']).splitlines()
    assert rows[2].split() == ['skirt', '1', '1', '50.0', '%']
