"""Is a text memorised? The longest n-gram of tokens that it shares with the training set.

Catalogues repeat themselves, so a number alone says little: the baseline is what held-out
descriptions, which the model has never seen, share with the training set.
"""

import numpy as np

_CACHED = 16  # values of n whose n-grams are kept: each takes 8 bytes a token
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: multiplying mixes all bits upwards


def _mixed(x):
    """uint64 hashes with all of their bits mixed."""
    x = (x ^ (x >> np.uint64(32))) * _ODD
    return x ^ (x >> np.uint64(29))


def _hashes(ids, n):
    """uint64 [len(ids) - n + 1]: a hash of each n-gram.

    Those of 1, 2, 4, ... tokens are combined, so it takes log2 n passes.
    """
    count = len(ids) - n + 1
    part, length = _mixed(np.asarray(ids).astype(np.uint64) + np.uint64(1)), 1
    result, done = np.full(count, n, np.uint64), 0
    while length <= n:
        if n & length:
            result = _mixed(result * _ODD + part[done:done + count])
            done += length
        part = _mixed(part[:-length] * _ODD + part[length:]) if len(part) > length else part[:0]
        length *= 2
    return result


class Index:
    """The n-grams of a training set.

    documents: list of sequences of token ids. No n-gram crosses the end of a document. They are
    compared by 64-bit hashes: among 10^7 tokens a false match has a probability of about 10^-9.
    """

    def __init__(self, documents):
        lengths = [len(ids) for ids in documents]
        assert sum(lengths), 'no text to search in'
        self._ids = np.concatenate([np.asarray(ids, np.int64) for ids in documents])
        ends = np.repeat(np.cumsum(lengths), lengths)
        self._left = ends - np.arange(len(self._ids))  # tokens to the end of the document
        self._cache = {}

    def _contains(self, ids, n):
        """Whether any n-gram of the ids occurs."""
        if n not in self._cache:
            if len(self._cache) == _CACHED:
                self._cache.clear()
            inside = self._left[:len(self._ids) - n + 1] >= n
            self._cache[n] = np.unique(_hashes(self._ids, n)[inside])
        return bool(np.isin(_hashes(ids, n), self._cache[n]).any())

    def longest(self, ids):
        """Length in tokens of the longest n-gram of the sequence `ids` that is in the texts."""
        least, most = 0, min(len(ids), int(self._left.max()))
        while least < most:  # bisection: a text with a long n-gram has all shorter ones
            middle = (least + most + 1) // 2
            if self._contains(ids, middle):
                least = middle
            else:
                most = middle - 1
        return least


def distinct(texts, n):
    """distinct-n (Li et al. 2016): distinct n-grams of all texts over their number, in 0..1.

    texts: list of sequences of ids. 1 if no n-gram is repeated; 0 if there are none.
    """
    ngrams = [tuple(ids[i:i + n]) for ids in texts for i in range(len(ids) - n + 1)]
    return len(set(ngrams)) / len(ngrams) if ngrams else 0.0


def report(samples, held_out, index):
    """Memorisation and variety of samples, beside those of held-out texts: dict of floats.

    samples, held_out: lists of sequences of ids; index: of the training set. `overlap` is the mean
    length of the longest shared n-gram, in tokens, `overlap_share` as a fraction of the text;
    `distinct_1` ... as `distinct`, of equally many texts since it falls with their number; the
    names of the baseline end in `_held_out`.
    """
    figures = {}
    for ending, texts in (('', samples), ('_held_out', held_out)):
        texts = [list(ids) for ids in texts if len(ids)]
        if not texts:
            continue
        longest = [index.longest(ids) for ids in texts]
        figures['overlap' + ending] = float(np.mean(longest))
        figures['overlap_share' + ending] = float(np.mean(
            [n / len(ids) for n, ids in zip(longest, texts)]))
        for n in (1, 2, 3):
            figures[f'distinct_{n}{ending}'] = distinct(texts[:len(samples)], n)
    return figures
