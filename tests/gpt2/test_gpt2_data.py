import collections

import numpy as np
import pytest

from gpt2 import data, encoder
from gpt2.config import PACKINGS

Product = collections.namedtuple('Product', 'description tags category key')

PRODUCTS = [Product(f'A {colour} dress.\n- Line two of {i}', ('dress', colour, 'midi'),
                    'Dress', f'code {i // 2}')
            for i, colour in enumerate(['red', 'blue', 'green', 'black', 'white', 'navy'] * 5)]


@pytest.fixture(scope='module')
def vocabulary():
    return encoder.train([product.description for product in PRODUCTS], 300)


def corpus(vocabulary, products=PRODUCTS, tagged=False):
    return data.corpus(data.documents(products, vocabulary), vocabulary, tagged)


def windows(corpus, seed=0, **more):
    return data.windows(corpus, rng=np.random.RandomState([seed]), **more)


def counted(tokens, weights):
    """Lists of the ids that a row's loss counts, cut behind each end-of-text."""
    for row, some in zip(tokens[:, 1:], weights):
        ids = row[some > 0]
        yield np.split(ids, np.flatnonzero(ids == tokens[0, 0])[:-1] + 1)


def test_split_holds_out_whole_products():
    ours, others = data.split(PRODUCTS, 0.2, 3)
    assert sorted(ours + others) == sorted(PRODUCTS)
    assert not {product.key for product in ours} & {product.key for product in others}
    assert len(others) == 2 * 3  # 0.2 of 15 keys, two products each
    assert data.split(PRODUCTS, 0.2, 3) == (ours, others)
    assert data.split(PRODUCTS, 0.2, 4)[1] != others


@pytest.mark.parametrize('share, held_out', [(0, 0), (0.001, 2), (0.999, 28)])
def test_split_leaves_something_on_the_side_of_training(share, held_out):
    assert len(data.split(PRODUCTS, share, 0)[1]) == held_out


def test_windows_hold_whole_documents_with_their_line_breaks(vocabulary):
    tokens, weights = windows(corpus(vocabulary), pack='documents', count=20, length=100)
    assert tokens.shape == (20, 101) and tokens.dtype == np.int32
    assert weights.shape == (20, 100) and weights.dtype == np.float32
    assert np.all(tokens[:, 0] == vocabulary.end)
    known = {product.description for product in PRODUCTS}
    for documents in counted(tokens, weights):
        assert len(documents) > 1 and documents[-1][-1] == vocabulary.end
        assert {vocabulary.decode(ids) for ids in documents} <= known


def test_only_padding_is_not_counted(vocabulary):
    some = corpus(vocabulary)
    tokens, weights = windows(some, pack='documents', count=20, length=100)
    assert len(np.unique(weights)) == 2 and np.all(np.diff(weights) <= 0)
    assert weights.mean() == pytest.approx(1, rel=1e-6)
    assert np.all(tokens[:, 1:][weights == 0] == vocabulary.end)
    longest = max(len(document.ids) for document in some.documents)
    assert np.all(np.count_nonzero(weights, axis=1) > 100 - longest)


def test_long_documents_are_seen_as_often_as_short_ones(vocabulary):
    long, short = 'silk ' * 12, 'silk'
    products = [Product(text, (), '', text) for text in (long, short)]
    tokens, weights = windows(corpus(vocabulary, products), pack='documents', count=400, length=80)
    texts = [vocabulary.decode(ids) for row in counted(tokens, weights) for ids in row]
    assert set(texts) == {long, short}
    assert 0.45 < np.mean([text == long for text in texts]) < 0.55


def test_a_stream_is_cut_anywhere_and_counts_everywhere(vocabulary):
    tokens, weights = windows(corpus(vocabulary), pack='stream', count=300, length=60)
    assert tokens.shape == (300, 61) and tokens.dtype == np.int32
    assert weights.shape == (300, 60) and np.all(weights == 1)
    known = ''.join(f'|{product.description}|' for product in PRODUCTS)
    for row in tokens:
        parts = [vocabulary.decode(ids) for ids in
                 np.split(row, np.flatnonzero(row == vocabulary.end) + 1)]
        assert len(parts) > 1 and all(f'|{part}|' in known for part in parts[1:-1])
        assert parts[0] + '|' in known and '|' + parts[-1] in known
    lengths = [int(np.argmax(row == vocabulary.end)) for row in tokens]
    whole = len(vocabulary.encode(PRODUCTS[0].description))
    assert min(lengths) == 0 and max(lengths) >= whole and len(set(lengths)) > whole / 2


def test_a_stream_begins_in_a_document_as_often_as_its_length_says(vocabulary):
    products = [Product(text, (), '', text) for text in ('silk ' * 30, 'x')]
    tokens, _ = windows(corpus(vocabulary, products), pack='stream', count=400, length=1)
    assert np.mean(tokens[:, 0] == vocabulary.encode('x')[0]) < 0.05


def test_starts_fill_what_documents_leave_over(vocabulary):
    some = corpus(vocabulary)
    tokens, weights = windows(some, pack='starts', count=50, length=100)
    beginnings = {tuple(document.ids[:3]) for document in some.documents}
    assert tokens.shape == (50, 101) and (weights == 1).all()
    for row in tokens:
        assert row[0] == vocabulary.end and tuple(row[1:4]) in beginnings


@pytest.mark.parametrize('pack', PACKINGS)
def test_windows_depend_on_the_seed_alone(vocabulary, pack):
    some = corpus(vocabulary, tagged=True)
    first, again, other = [windows(some, seed, pack=pack, count=3, length=50) for seed in (1, 1, 2)]
    assert all(map(np.array_equal, first, again))
    assert not np.array_equal(first[0], other[0])


def test_attributes_stand_in_front_as_they_are_asked_for(vocabulary):
    tokens, _ = windows(corpus(vocabulary, tagged=True), pack='documents', count=200, length=60)
    fronts = collections.Counter()
    for row in tokens[:, 1:].tolist():
        ids = row[:row.index(vocabulary.end) + 1]
        front, text = vocabulary.decode(ids).split(data.ARROW)
        colour = text.split()[1]
        assert set(front.split()) <= {colour, 'midi', 'dress'}
        asked = vocabulary.encode(data.prompt(front))
        assert ids[:len(asked)] == asked  # tokens as a prompt has them
        fronts[front.strip().replace(colour, 'COLOUR')] += 1
    assert 10 < fronts[''] < 45
    assert fronts['COLOUR midi dress'] and fronts['midi COLOUR dress'] and fronts['dress']


@pytest.mark.parametrize('pack', PACKINGS)
def test_attributes_are_given_and_not_learnt(vocabulary, pack):
    made = windows(corpus(vocabulary, tagged=True), pack=pack, count=100, length=70)
    text = ''.join(vocabulary.decode(row[some > 0]) for row, some in zip(made[0][:, 1:], made[1]))
    assert '->' not in text and text.count('Line two') > 100
    assert made[1].mean() == pytest.approx(1, rel=1e-6)


def test_a_window_of_nothing_but_attributes_teaches_nothing(vocabulary):
    _, weights = windows(corpus(vocabulary, tagged=True), pack='documents', count=1, length=1)
    assert not weights.any()


def test_every_selection_of_attributes_comes_up_and_the_category_mostly_last():
    rng = np.random.RandomState([0])
    fronts = [data.selection(('red', 'midi'), 'dress', rng).split() for _ in range(2000)]
    assert {frozenset(words) for words in fronts} >= {
        frozenset(words) for words in [(), ('dress',), ('red', 'dress'), ('midi', 'dress'),
                                       ('red', 'midi', 'dress'), ('red', 'midi')]}
    last = [words[-1] == 'dress' for words in fronts if words]
    assert 0.7 < np.mean(last) < 0.95


def test_a_prompt_begins_like_the_inside_of_a_sentence():
    assert data.prompt(' red midi dress ') == ' red midi dress -> '
    assert data.prompt('') == data.ARROW


def test_a_category_that_is_no_attribute_is_not_put_in_front(vocabulary):
    product = PRODUCTS[0]._replace(tags=('red',), category='Gown')
    document, = data.documents([product], vocabulary)
    assert (document.tags, document.category) == (('red',), '')


@pytest.mark.parametrize('pack', PACKINGS)
def test_a_long_description_is_trained_from_start_to_end(vocabulary, pack):
    text = ' '.join(str(number) for number in range(1000, 1030))
    some = corpus(vocabulary, [Product(text, (), '', '')])
    ids = np.array(vocabulary.encode(text))
    tokens, weights = windows(some, pack=pack, count=400, length=30)
    beginnings = [np.array_equal(row[row != vocabulary.end][:9], ids[:9]) for row in tokens]
    assert np.mean(beginnings) > 0.02
    seen = {row.tobytes() for row in tokens[:, 1:]}
    assert len(seen) > 50 and any(row[-1] == vocabulary.end for row in tokens[weights[:, -1] > 0])


def test_the_held_out_loss_counts_each_document_once_from_its_start(vocabulary):
    some = corpus(vocabulary)
    batches = data.single_documents(some, count=25, batch=4, length=100,
                                    rng=np.random.RandomState([0]))
    assert [len(tokens) for tokens, _ in batches] == [4] * 6 + [1]
    texts = []
    for tokens, weights in batches:
        assert tokens.shape[1] - 1 == weights.shape[1] == np.count_nonzero(weights[-1])
        for documents in counted(tokens, weights):
            assert len(documents) == 1 and documents[0][-1] == vocabulary.end
            texts.append(vocabulary.decode(documents[0]))
    assert len(set(texts)) == 25 <= len({product.description for product in PRODUCTS})
    first, = data.single_documents(some, count=1, batch=4, length=7, rng=np.random.RandomState([0]))
    assert first[0].shape == (1, 8) and np.all(first[1] == 1)


def test_encoded_documents_need_no_texts(vocabulary, tmp_path):
    data.documents(PRODUCTS + PRODUCTS[:1], vocabulary, tmp_path)
    path, = tmp_path.iterdir()
    documents = data.read(path, vocabulary)
    assert [vocabulary.decode(document.ids) for document in documents] == [
        product.description for product in PRODUCTS + PRODUCTS[:1]]
    assert len({document.key for document in documents}) == len(PRODUCTS)
    ours, others = data.split(documents, 0.1, 0)
    assert len(ours) + len(others) == len(documents) and others
