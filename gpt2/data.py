"""Training data: how a product becomes a document, the held-out split, and training windows.

A document is `attributes -> description`, or the description alone in a catalogue without
attributes, and end-of-text. The description is encoded separately, line breaks included. The
attributes are drawn anew each time a document is used, in any number and order, so that any
selection of them works as a prompt, and none (` -> description`) as well. They are masked out of
the loss: as they are drawn at random, learning to predict them would only cost capacity.

A product is any record with `description` (string), `tags` (strings), `category` (string, one of
the tags or not) and `key` (equal for variants of one product).

There are three ways of packing documents into windows. `documents`: as many whole ones as fit, then
padding, which is masked out of the loss. `starts`: the same, filled up with the beginning of one
more. `stream`, as the post's tool did: a slice of an endless sequence of documents, cut anywhere.
Sampling always starts at position 0 of a text, and in a stream most positions are trained on the
middle of one.

Whatever the packing, the held-out loss is that of single documents, each from its own start, so
that runs with other windows can be compared: the mean over all tokens of the descriptions,
end-of-text included.
"""

import collections

import numpy as np

from gpt2 import encoded

ARROW = ' -> '  # between attributes and description

# tags: the attributes without the category. category: '' if it is not an attribute. ids: of the
# description, int32, ended by end-of-text.
Document = collections.namedtuple('Document', 'tags category ids key')
# ends: cumulative lengths of the documents. tagged: whether attributes are put in front of them.
Corpus = collections.namedtuple('Corpus', 'documents ends encoder tagged')


def split(products, fraction, seed):
    """Two lists: products to train on, and those held out. Equal keys stay on one side.

    products: any records with a `key`, Documents among them.
    fraction: of the distinct keys to hold out; more than 0 means at least one, if there are two.
    """
    keys = list(dict.fromkeys(product.key for product in products))
    count = min(int(np.ceil(fraction * len(keys))), len(keys) - 1)
    order = np.random.RandomState([seed]).permutation(len(keys))
    held_out = {keys[i] for i in order[:count]}
    return ([product for product in products if product.key not in held_out],
            [product for product in products if product.key in held_out])


def documents(products, encoder, folder=None):
    """The Documents of a list of products, in their order.

    folder: where the ids are cached, see `encoded.encode`.
    """
    result = []
    texts = [product.description for product in products]
    for product, ids in zip(products, encoded.encode(texts, encoder, folder)):
        category = ' '.join(product.category.lower().split())
        tags = tuple(tag for tag in product.tags if tag != category)
        result.append(Document(tags, category if category in product.tags else '', ids,
                               product.key))
    return result


def read(path, encoder):
    """The Documents of a file of encoded texts, see `encoded.read`: without attributes, and equal
    ids are the same product."""
    return [Document((), '', ids, ids.tobytes()) for ids in encoded.read(path, encoder)]


def without_long_tags(documents, encoder, room):
    """The Documents with attributes of at most `room` tokens each, and how many lost some.

    The longest attributes of a document are left out until all together fit: they are texts rather
    than attributes, and would leave no room in a window for the description.
    """
    distinct = sorted({tag for document in documents
                       for tag in (*document.tags, document.category)})
    lengths = {tag: len(ids) for tag, ids in zip(
        distinct, encoder.encode_batch([' ' + tag for tag in distinct]))}
    result, changed = [], 0
    for document in documents:
        kept = [tag for tag in (*document.tags, document.category) if tag]
        while sum(lengths[tag] for tag in kept) > room:
            kept.remove(max(kept, key=lengths.get))
        short = document._replace(tags=tuple(tag for tag in document.tags if tag in kept),
                                  category=document.category if document.category in kept else '')
        changed += short != document
        result.append(short)
    return result, changed


def corpus(documents, encoder, tagged):
    """The Corpus of a list of Documents. tagged: whether attributes are put in front of them."""
    ends = np.cumsum([len(document.ids) for document in documents])
    return Corpus(documents, ends, encoder, tagged)


def prompt(attributes):
    """What precedes the description of a product with these attributes, a string.

    The leading space makes the first word the same token as inside of a sentence.
    """
    return (' ' + attributes.strip()).rstrip() + ARROW


def prompt_ids(prompt, encoder):
    """The ids of a prompt and, if it follows, the beginning of a description: encoded separately,
    as in training."""
    attributes, arrow, description = prompt.partition(ARROW)
    return encoder.encode(attributes + arrow) + encoder.encode(description)


def selection(tags, category, rng):
    """A random selection of the attributes in random order, a string; '' in an eighth of all cases.

    The category ('' if there is none) is mostly in it, and last, as in "red asymmetric dress".
    """
    if rng.randint(8) == 0:
        return ''
    words = [tags[i] for i in rng.permutation(len(tags))[:rng.randint(len(tags) + 1)]]
    if category and (rng.randint(8) or not words):
        index = len(words) if rng.randint(8) else rng.randint(len(words) + 1)
        words.insert(index, category)
    return ' '.join(words)


# --- Windows. A sequence is int32 [n, 2]: ids, and the loss mask: 1 if the token is a target.

def _sequence(corpus, number, rng):
    """The sequence of a document with a new selection of attributes in front."""
    document, front = corpus.documents[number], []
    if corpus.tagged:
        front = corpus.encoder.encode(prompt(selection(document.tags, document.category, rng)))
    mask = np.arange(len(front) + len(document.ids)) >= len(front)
    return np.stack([np.append(front, document.ids), mask], 1).astype(np.int32)


def _any_sequence(corpus, rng):
    return _sequence(corpus, rng.randint(len(corpus.documents)), rng)


def _at_most(corpus, length, rng):
    """The sequence of any document; of one that is longer than `length`, a slice of this length or
    the end."""
    sequence = _any_sequence(corpus, rng)
    # The beginning in proportion to its length, else a slice from anywhere behind it.
    first = max(0, rng.randint(-length, len(sequence) - length + 1)) if (
        len(sequence) > length) else 0
    return sequence[first:first + length]


def _weights(mask):
    """Loss mask, 0 or 1 -> float32 loss weights whose mean is 1, unless all are 0."""
    return (mask / max(mask.mean(), 1 / mask.size)).astype(np.float32)


def _rows(sequences, length, end):
    """Lists of sequences, one list a row -> tokens [rows, length + 1], weights [rows, length]."""
    tokens = np.full([len(sequences), length + 1], end, np.int32)
    mask = np.zeros([len(sequences), length], np.int32)
    for row, parts in enumerate(sequences):
        count = sum(map(len, parts))
        tokens[row, 1:count + 1], mask[row, :count] = np.concatenate(parts).T
    return tokens, _weights(mask)


def _pack_documents(corpus, count, length, rng):
    rows, sequence = [], _at_most(corpus, length, rng)
    for _ in range(count):
        row, room = [], length
        while len(sequence) <= room:
            row.append(sequence)
            room -= len(sequence)
            sequence = _at_most(corpus, length, rng)
        rows.append(row)  # what did not fit begins the next row, else long texts would be rare
    return _rows(rows, length, corpus.encoder.end)


def _pack_starts(corpus, count, length, rng):
    rows = []
    for _ in range(count):
        row, missing = [], length
        while missing > 0:
            row.append(_at_most(corpus, length, rng)[:missing])
            missing -= len(row[-1])
        rows.append(row)
    return _rows(rows, length, corpus.encoder.end)


def _pack_stream(corpus, count, length, rng):
    rows = []
    for _ in range(count):
        offset = rng.randint(corpus.ends[-1])  # so a document is drawn in proportion to its length
        sequence = _sequence(corpus, np.searchsorted(corpus.ends, offset, side='right'), rng)
        row, missing = [], length + 1
        sequence = sequence[rng.randint(len(sequence)):]
        while missing > 0:
            row.append(sequence[:missing])
            missing -= len(row[-1])
            sequence = _any_sequence(corpus, rng)
        rows.append(np.concatenate(row))
    tokens, mask = np.moveaxis(np.stack(rows), 2, 0)
    return tokens, _weights(mask[:, 1:])


_PACK = {'documents': _pack_documents, 'starts': _pack_starts, 'stream': _pack_stream}


def windows(corpus, *, pack, count, length, rng):
    """A batch of `count` training windows, and their loss weights.

    pack: 'documents', 'starts' or 'stream', see above. rng: numpy RandomState.
    Returns tokens int32 [count, length + 1], as targets are shifted by one, and weights float32
    [count, length] of the targets: 0 for padding and attributes, all others equal, their mean is 1.
    Windows that begin with a document have an end-of-text in front, as if another one preceded it.
    """
    return _PACK[pack](corpus, count, length, rng)


def single_documents(corpus, *, count, batch, length, rng):
    """At most `count` documents, each alone from its start: the batches of the held-out loss.

    A document longer than `length` is cut there. Returns a list of (tokens, weights) as `windows`
    makes them, at most `batch` rows each, as long as their longest document.
    """
    chosen = rng.permutation(len(corpus.documents))[:count]
    sequences = sorted((_sequence(corpus, i, rng)[:length] for i in chosen), key=len)
    groups = [sequences[i:i + batch] for i in range(0, len(sequences), batch)]
    return [_rows([[sequence] for sequence in group], len(group[-1]), corpus.encoder.end)
            for group in groups]
