"""Labels of a catalogue: heads, indices, splits, class weights and exclusive values."""

import numpy as np
import pytest

from catalog.source import Product
from dnnlib.files import UserError
from tagger import labels


def product(category, key='', **attributes):
    return Product(None, '', '', category, (), key, tuple(attributes.items()))


PRODUCTS = [product('dress', colour='red', sleeve='long', size='one'),
            product('skirt', colour='red', sleeve='', size='one'),
            product('dress', colour='navy', sleeve='long', size='one')]


def test_heads_are_category_and_attribute_columns():
    heads = labels.heads_of(PRODUCTS)
    assert list(heads) == ['category', 'colour', 'sleeve']
    assert heads['category'] == ('dress', 'skirt') and heads['sleeve'] == ('', 'long')


def test_a_column_of_over_100_values_is_no_head_but_many_categories_are():
    many = [product(f'kind {i}', name=f'name {i}') for i in range(101)]
    assert list(labels.heads_of(many)) == ['category'] and labels.too_varied(many) == ['name']
    assert 'name' in labels.heads_of(many[:100]) and labels.too_varied(many[:100]) == []
    assert labels.heads_of([product('dress')] * 3) == {}


def test_labels_are_indices_or_unknown():
    heads = labels.heads_of(PRODUCTS)
    encoded = labels.encode(PRODUCTS + [product('hat')], heads)
    assert encoded['category'].tolist() == [0, 1, 0, labels.UNKNOWN]
    assert encoded['colour'].tolist() == [1, 1, 0, labels.UNKNOWN]
    assert encoded['sleeve'].dtype == np.int32


def test_a_split_is_a_partition_that_keeps_keys_together():
    keys = [str(i % 20) for i in range(60)]
    parts = labels.split(keys, (0.1, 0.25), seed=3)
    assert sorted(np.concatenate(parts)) == list(range(60))
    assert [len(part) for part in parts] == [39, 6, 15]
    owners = [{keys[i] for i in part} for part in parts]
    assert not (owners[0] & owners[1] or owners[0] & owners[2] or owners[1] & owners[2])
    assert [p.tolist() for p in parts] == [p.tolist() for p in labels.split(keys, (0.1, 0.25), 3)]
    assert [p.tolist() for p in parts] != [p.tolist() for p in labels.split(keys, (0.1, 0.25), 4)]


def test_products_that_share_few_descriptions_are_not_split():
    with pytest.raises(UserError, match='20 products have only 4 different descriptions'):
        labels.split(list('abcd') * 5, (0.1, 0.2), 0)
    assert sum(map(len, labels.split(list('abcd'), (0.1, 0.2), 0))) == 4  # each is one product


def test_class_weights_equalise_values_and_average_to_one():
    known = np.array([0, 0, 0, 2, labels.UNKNOWN])
    weights = labels.class_weights(known, 3)
    assert weights.tolist() == pytest.approx([4 / 6, 0, 2])
    assert weights[known[known >= 0]].mean() == pytest.approx(1)


HEADS = {'category': ('dress', 'skirt'), 'sleeve': ('', 'long', 'short'), 'colour': ('blue', 'red')}


def labelled(count=200):
    """Skirts have no sleeves, dresses have some; colours are free."""
    rng = np.random.RandomState([3])
    category = rng.randint(0, 2, count)
    sleeve = np.where(category == 1, 0, rng.randint(1, 3, count))
    return {'category': category, 'sleeve': sleeve, 'colour': rng.randint(0, 2, count)}


def test_exclusive_values_are_found():
    assert labels.impossible(labelled(), HEADS) == [[0, 2], [1, 3], [1, 4]]


def test_rare_combinations_are_not_exclusive():
    few = {name: values[:12] for name, values in labelled().items()}
    assert labels.impossible(few, HEADS) == []
    unknown = {name: np.full(200, -1) for name in HEADS}
    assert labels.impossible(unknown, HEADS) == []


def tags(category, sleeve, colour):
    rows = {'category': np.array([category]), 'sleeve': np.array([sleeve]),
            'colour': np.array([colour])}
    return labels.decode(rows, HEADS, labels.impossible(labelled(), HEADS))[0]


def test_decoded_tags_are_compatible_with_renormalised_probabilities():
    found = tags([0.2, 0.8], [0.1, 0.7, 0.2], [0.4, 0.6])
    assert {name: value for name, (value, _) in found.items()} == {
        'category': 'skirt', 'sleeve': '', 'colour': 'red'}
    assert abs(found['category'][1] - 0.8) < 1e-6 and found['sleeve'][1] > 0.999
    found = tags([0.9, 0.1], [0.5, 0.1, 0.4], [0.4, 0.6])
    assert found['sleeve'][0] == 'short' and abs(found['sleeve'][1] - 0.8) < 1e-6
    assert list(found) == list(HEADS)


def test_without_exclusive_values_decoding_is_argmax():
    rows = {name: np.random.RandomState([len(values)]).dirichlet([1] * len(values), 5)
            for name, values in HEADS.items()}
    for index, found in enumerate(labels.decode(rows, HEADS, [])):
        for name, values in HEADS.items():
            assert found[name][0] == values[rows[name][index].argmax()]
            assert abs(found[name][1] - rows[name][index].max()) < 1e-6
