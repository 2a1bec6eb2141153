"""Texts to tokens: how a product is written down, which products are held out, what a window is.

A document is `attributes -> description`, or the description alone in a catalogue that has no
attributes, and end-of-text. The description is encoded by itself, line breaks included. The
attributes in front are drawn anew each time a document is used, in any number and order, so that
any selection of them works as a prompt, and none (` -> description`) as well.

A product is any record with `description` (string), `tags` (strings), `category` (string, one of
the tags or not) and `key` (what tells products apart).

A window starts at the beginning of a document and goes on with further documents until it is
full; the loss counts every token. Descriptions are short, and writing always starts at place 0:
windows cut anywhere from one long stream, as is usual, would spend nearly all learnt positions on
places of the stream that mean nothing. Only a document longer than the window is cut anywhere.
"""

import collections

import numpy as np

TAG_END = ' -> '

Document = collections.namedtuple('Document', 'tags noun ids')
Corpus = collections.namedtuple('Corpus', 'documents encoder tagged')


def split(products, share, seed):
    """Two lists: products to train on, and those held out. Equal keys stay on one side.

    share: of the distinct keys to hold out; more than 0 means at least one, if there are two.
    """
    distinct = list(dict.fromkeys(product.key for product in products))
    count = min(int(np.ceil(share * len(distinct))), len(distinct) - 1)
    order = np.random.RandomState([seed]).permutation(len(distinct))
    chosen = {distinct[i] for i in order[:count]}
    return ([product for product in products if product.key not in chosen],
            [product for product in products if product.key in chosen])


def corpus(products, encoder, tagged):
    """The Corpus of some products.

    A Document holds a product's attributes without the category, the category, and the ids of the
    description. tagged: whether documents begin with attributes.
    """
    documents = []
    for product in products:
        noun = ' '.join(product.category.lower().split())
        others = tuple(tag for tag in product.tags if tag != noun)
        ids = np.array(encoder.encode(product.description) + [encoder.end], np.int32)
        documents.append(Document(others, noun if noun in product.tags else '', ids))
    return Corpus(documents, encoder, tagged)


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


def _any_document(corpus, rng):
    """The ids of a document drawn at random, with a fresh selection of attributes in front."""
    document = corpus.documents[rng.randint(len(corpus.documents))]
    if not corpus.tagged:
        return document.ids
    before = prompt(selection(document.tags, document.noun, rng))
    return np.concatenate([corpus.encoder.encode(before), document.ids])


def windows(corpus, *, count, length, rng):
    """`count` windows: int32 [count, length + 1], as what is predicted is shifted by one.

    Each begins with an end-of-text, the end of what came before. rng: numpy RandomState.
    """
    rows = []
    for _ in range(count):
        parts, missing = [[corpus.encoder.end]], length
        while missing > 0:
            ids = _any_document(corpus, rng)
            if len(parts) == 1 and len(ids) > length:
                # The beginning as often as its share of the document, else anywhere behind it.
                ids = ids[max(0, rng.randint(-length, len(ids) - length + 1)):]
            parts.append(ids[:missing])
            missing -= len(parts[-1])
        rows.append(np.concatenate(parts))
    return np.stack(rows).astype(np.int32)
