"""Texts to tokens: how a product is written down, which products are held out, what a window is.

A document is `attributes -> description`, or the description alone in a catalogue that has no
attributes, and end-of-text. The description is encoded by itself, line breaks included. The
attributes in front are drawn anew each time a document is used, in any number and order, so that
any selection of them works as a prompt, and none (` -> description`) as well. They are given, not
learnt: nobody can foresee which were chosen, and trying to takes strength from following them.

A product is any record with `description` (string), `tags` (strings), `category` (string, one of
the tags or not) and `key` (what tells products apart).

There are three ways of cutting windows. `documents`: each begins at the beginning of a document and
holds as many whole ones as fit; what is left over is not counted in the loss. `starts`: the same,
filled up with the beginning of a further one. `stream`, as the post's tool did: each is a piece of
one endless row of documents, cut anywhere. Writing always starts at place 0 of a text, and in a
stream most places are learnt in the middle of one.

Whatever the windows, the held-out loss is that of single documents, each from its own start, so
that runs with other windows can be compared: the mean over all tokens of the descriptions,
end-of-text included.
"""

import collections

import numpy as np

from gpt2 import encoded

TAG_END = ' -> '
PACKINGS = ('documents', 'starts', 'stream')

Document = collections.namedtuple('Document', 'tags noun ids key')
Corpus = collections.namedtuple('Corpus', 'documents ends encoder tagged')


def split(products, share, seed):
    """Two lists: products to train on, and those held out. Equal keys stay on one side.

    products: any records with a `key`, Documents among them.
    share: of the distinct keys to hold out; more than 0 means at least one, if there are two.
    """
    distinct = list(dict.fromkeys(product.key for product in products))
    count = min(int(np.ceil(share * len(distinct))), len(distinct) - 1)
    order = np.random.RandomState([seed]).permutation(len(distinct))
    chosen = {distinct[i] for i in order[:count]}
    return ([product for product in products if product.key not in chosen],
            [product for product in products if product.key in chosen])


def documents(products, encoder, folder=None):
    """The Documents of some products, in their order.

    A Document holds a product's attributes without the category, the category, the ids of the
    description (int32, ended by end-of-text) and the key. folder: where the ids are kept, see
    `encoded.encode`.
    """
    result = []
    texts = [product.description for product in products]
    for product, ids in zip(products, encoded.encode(texts, encoder, folder)):
        noun = ' '.join(product.category.lower().split())
        others = tuple(tag for tag in product.tags if tag != noun)
        result.append(Document(others, noun if noun in product.tags else '', ids, product.key))
    return result


def read(path, encoder):
    """The Documents of a file of encoded texts, see `encoded.read`: no attributes, equal ids are
    the same product."""
    return [Document((), '', ids, ids.tobytes()) for ids in encoded.read(path, encoder)]


def corpus(documents, encoder, tagged):
    """The Corpus of a list of Documents. tagged: whether attributes are put in front of them."""
    ends = np.cumsum([len(document.ids) for document in documents])
    return Corpus(documents, ends, encoder, tagged)


def prompt(words):
    """What stands before the description of a product with these attributes, one string.

    The space in front makes the first word the same token as it is inside of a sentence.
    """
    return (' ' + words.strip()).rstrip() + TAG_END


def selection(tags, noun, rng):
    """Some of the attributes in some order, in one string; '' in an eighth of all cases.

    The category `noun` ('' if there is none) mostly is there and stands last, as in "red
    asymmetric dress".
    """
    if rng.randint(8) == 0:
        return ''
    words = [tags[i] for i in rng.permutation(len(tags))[:rng.randint(len(tags) + 1)]]
    if noun and (rng.randint(8) or not words):
        place = len(words) if rng.randint(8) else rng.randint(len(words) + 1)
        words.insert(place, noun)
    return ' '.join(words)


def _written(corpus, number, rng):
    """A document with a fresh selection of attributes in front: int32 [n, 2], the ids and whether
    each is to be learnt (1) or given (0)."""
    document, before = corpus.documents[number], []
    if corpus.tagged:
        before = corpus.encoder.encode(prompt(selection(document.tags, document.noun, rng)))
    learnt = np.arange(len(before) + len(document.ids)) >= len(before)
    return np.stack([np.append(before, document.ids), learnt], 1).astype(np.int32)


def _any_document(corpus, rng):
    return _written(corpus, rng.randint(len(corpus.documents)), rng)


def _at_most(corpus, length, rng):
    """Any document; of one that is longer than `length`, a part of this length or the end."""
    document = _any_document(corpus, rng)
    # The beginning as often as its share of the document, else anywhere behind it.
    first = max(0, rng.randint(-length, len(document) - length + 1)) if (
        len(document) > length) else 0
    return document[first:first + length]


def _weights(learnt):
    """What counts in a loss, 0 or 1 -> float32 weights whose mean is 1, if anything counts."""
    return (learnt / max(learnt.mean(), 1 / learnt.size)).astype(np.float32)


def _rows(parts, length, end):
    """Lists of documents, one list a row -> tokens [rows, length + 1], weights [rows, length]."""
    tokens = np.full([len(parts), length + 1], end, np.int32)
    learnt = np.zeros([len(parts), length], np.int32)
    for row, some in enumerate(parts):
        count = sum(map(len, some))
        tokens[row, 1:count + 1], learnt[row, :count] = np.concatenate(some).T
    return tokens, _weights(learnt)


def _whole(corpus, count, length, rng):
    rows, document = [], _at_most(corpus, length, rng)
    for _ in range(count):
        row, room = [], length
        while len(document) <= room:
            row.append(document)
            room -= len(document)
            document = _at_most(corpus, length, rng)
        rows.append(row)  # what did not fit begins the next row, else long texts were seldom seen
    return _rows(rows, length, corpus.encoder.end)


def _starts(corpus, count, length, rng):
    rows = []
    for _ in range(count):
        row, missing = [], length
        while missing > 0:
            row.append(_at_most(corpus, length, rng)[:missing])
            missing -= len(row[-1])
        rows.append(row)
    return _rows(rows, length, corpus.encoder.end)


def _stream(corpus, count, length, rng):
    rows = []
    for _ in range(count):
        place = rng.randint(corpus.ends[-1])  # in a long document as often as its length says
        document = _written(corpus, np.searchsorted(corpus.ends, place, side='right'), rng)
        row, missing = [], length + 1
        document = document[rng.randint(len(document)):]
        while missing > 0:
            row.append(document[:missing])
            missing -= len(row[-1])
            document = _any_document(corpus, rng)
        rows.append(np.concatenate(row))
    tokens, learnt = np.moveaxis(np.stack(rows), 2, 0)
    return tokens, _weights(learnt[:, 1:])


def windows(corpus, *, pack, count, length, rng):
    """`count` windows to train on, and what counts in them.

    pack: 'documents', 'starts' or 'stream', see above. rng: numpy RandomState.
    Returns tokens int32 [count, length + 1], as what is predicted is shifted by one, and weights
    float32 [count, length] of what comes next: 0 for padding and the attributes in front, all
    others alike, their mean is 1.
    Windows that begin with a document have an end-of-text in front, the end of what came before.
    """
    pack = {'documents': _whole, 'starts': _starts, 'stream': _stream}[pack]
    return pack(corpus, count, length, rng)


def single(corpus, *, count, batch, length, rng):
    """At most `count` documents, each alone from its start, to measure the loss on.

    A document longer than `length` is cut there. Returns a list of (tokens, weights) as `windows`
    makes them, at most `batch` rows each, as long as their longest document.
    """
    chosen = rng.permutation(len(corpus.documents))[:count]
    rows = sorted((_written(corpus, i, rng)[:length] for i in chosen), key=len)
    groups = [rows[i:i + batch] for i in range(0, len(rows), batch)]
    return [_rows([[ids] for ids in some], len(some[-1]), corpus.encoder.end) for some in groups]
