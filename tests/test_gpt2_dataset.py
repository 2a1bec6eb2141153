import collections

import numpy as np
import pytest

from gpt2 import dataset, encoder

Product = collections.namedtuple('Product', 'description tags category key')

PRODUCTS = [Product('A %s dress.\n- Line two of %d' % (colour, i), ('dress', colour, 'midi'),
                    'Dress', 'code %d' % (i // 2))
            for i, colour in enumerate(['red', 'blue', 'green', 'black', 'white', 'navy'] * 5)]


@pytest.fixture(scope='module')
def vocabulary():
    return encoder.train([product.description for product in PRODUCTS], 300)


def cut(row, end):
    """The documents of a window, without their ends; the last may be a part."""
    places = np.flatnonzero(row == end)
    return [part[part != end] for part in np.split(row, places)[1:]]


def test_split_holds_out_whole_products():
    ours, others = dataset.split(PRODUCTS, 0.2, 3)
    assert sorted(ours + others) == sorted(PRODUCTS)
    assert not {product.key for product in ours} & {product.key for product in others}
    assert len(others) == 2 * 3  # 0.2 of 15 keys, two products each
    assert dataset.split(PRODUCTS, 0.2, 3) == (ours, others)
    assert dataset.split(PRODUCTS, 0.2, 4)[1] != others


@pytest.mark.parametrize('share, held_out', [(0, 0), (0.001, 2), (0.999, 28)])
def test_split_leaves_something_on_the_side_of_training(share, held_out):
    assert len(dataset.split(PRODUCTS, share, 0)[1]) == held_out


def test_windows_hold_whole_documents_with_their_line_breaks(vocabulary):
    corpus = dataset.corpus(PRODUCTS, vocabulary, tagged=False)
    rows = dataset.windows(corpus, count=20, length=100, rng=np.random.RandomState([0]))
    assert rows.shape == (20, 101) and rows.dtype == np.int32
    known = {product.description for product in PRODUCTS}
    for row in rows:
        assert row[0] == vocabulary.end
        documents = [vocabulary.decode(ids) for ids in cut(row, vocabulary.end)]
        assert len(documents) > 1 and set(documents[:-1]) <= known
        assert any(text.startswith(documents[-1]) for text in known)


def test_windows_depend_on_the_seed_alone(vocabulary):
    corpus = dataset.corpus(PRODUCTS, vocabulary, tagged=True)
    first, again, other = [dataset.windows(corpus, count=3, length=50,
                                           rng=np.random.RandomState([seed])) for seed in (1, 1, 2)]
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_attributes_stand_in_front_as_they_are_asked_for(vocabulary):
    corpus = dataset.corpus(PRODUCTS, vocabulary, tagged=True)
    rows = dataset.windows(corpus, count=200, length=60, rng=np.random.RandomState([0]))
    fronts = collections.Counter()
    for row in rows:
        ids = cut(row, vocabulary.end)[0].tolist()
        front, text = vocabulary.decode(ids).split(dataset.TAG_END)
        colour = text.split()[1]
        assert set(front.split()) <= {colour, 'midi', 'dress'}
        asked = vocabulary.encode(dataset.prompt(front))
        assert ids[:len(asked)] == asked  # tokens as a prompt has them
        fronts[front.strip().replace(colour, 'COLOUR')] += 1
    assert 10 < fronts[''] < 45
    assert fronts['COLOUR midi dress'] and fronts['midi COLOUR dress'] and fronts['dress']


def test_every_selection_of_attributes_comes_up_and_the_category_mostly_last():
    rng = np.random.RandomState([0])
    fronts = [dataset.selection(('red', 'midi'), 'dress', rng).split() for _ in range(2000)]
    assert {frozenset(words) for words in fronts} >= {
        frozenset(words) for words in [(), ('dress',), ('red', 'dress'), ('midi', 'dress'),
                                       ('red', 'midi', 'dress'), ('red', 'midi')]}
    last = [words[-1] == 'dress' for words in fronts if words]
    assert 0.7 < np.mean(last) < 0.95


def test_a_prompt_begins_like_the_inside_of_a_sentence():
    assert dataset.prompt(' red midi dress ') == ' red midi dress -> '
    assert dataset.prompt('') == dataset.TAG_END


def test_a_category_that_is_no_attribute_is_not_put_in_front(vocabulary):
    product = PRODUCTS[0]._replace(tags=('red',), category='Gown')
    document = dataset.corpus([product], vocabulary, tagged=True).documents[0]
    assert (document.tags, document.noun) == (('red',), '')


def test_a_long_description_is_trained_from_start_to_end(vocabulary):
    text = ' '.join(str(number) for number in range(1000, 1030))
    product = Product(text, (), '', '')
    corpus = dataset.corpus([product], vocabulary, tagged=False)
    ids = np.array(vocabulary.encode(text))
    rows = dataset.windows(corpus, count=400, length=30, rng=np.random.RandomState([0]))
    assert np.mean([np.array_equal(row[1:], ids[:30]) for row in rows]) > 0.02
    seen = {vocabulary.decode(row[1:31]) for row in rows}
    assert len(seen) > 50 and any(row[-1] == vocabulary.end for row in rows)
