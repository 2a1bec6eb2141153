"""Is a text learnt by heart? The longest run of tokens that it shares with the training texts.

Catalogues repeat themselves, so a number alone says little: what held-out descriptions, which the
model has never seen, share with the training texts is the baseline to compare with.
"""

import numpy as np

_REMEMBERED = 16  # lengths whose runs are kept: each takes 8 bytes a token
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: multiplying spreads all bits upwards


def _mixed(x):
    """Hashes, uint64, with all of their bits stirred."""
    x = (x ^ (x >> np.uint64(32))) * _ODD
    return x ^ (x >> np.uint64(29))


def _hashes(ids, n):
    """uint64 [len(ids) - n + 1]: a hash of each run of `n` tokens.

    Runs of 1, 2, 4, ... tokens are put together to runs of n, so it takes log2 n passes.
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
    """Texts to search in.

    documents: list of sequences of token ids. A run is found within single documents only. Runs are
    compared by 64 bit hashes: one false find among 10^7 tokens is as unlikely as one in 10^9.
    """

    def __init__(self, documents):
        lengths = [len(ids) for ids in documents]
        assert sum(lengths), 'no text to search in'
        self._ids = np.concatenate([np.asarray(ids, np.int64) for ids in documents])
        ends = np.repeat(np.cumsum(lengths), lengths)
        self._left = ends - np.arange(len(self._ids))  # tokens from each place to its text's end
        self._known = {}

    def _holds(self, ids, n):
        """Whether any run of n of the ids occurs."""
        if n not in self._known:
            if len(self._known) == _REMEMBERED:
                self._known.clear()
            inside = self._left[:len(self._ids) - n + 1] >= n
            self._known[n] = np.unique(_hashes(self._ids, n)[inside])
        return bool(np.isin(_hashes(ids, n), self._known[n]).any())

    def longest(self, ids):
        """Length of the longest run of the sequence `ids` that occurs in the texts, in tokens."""
        least, most = 0, min(len(ids), int(self._left.max()))
        while least < most:  # whatever holds a long run holds the shorter ones in it
            middle = (least + most + 1) // 2
            if self._holds(ids, middle):
                least = middle
            else:
                most = middle - 1
        return least


def distinct(texts, n):
    """Share of different runs of n tokens among all of the texts (Li et al. 2016), in 0..1.

    texts: list of sequences of ids. 1 where nothing is ever said twice; 0 where there are no runs.
    """
    runs = [tuple(ids[i:i + n]) for ids in texts for i in range(len(ids) - n + 1)]
    return len(set(runs)) / len(runs) if runs else 0.0


def report(samples, held_out, index):
    """Figures on samples beside those of held-out texts -> dict of floats.

    samples, held_out: lists of sequences of ids; index: of the training texts. `overlap` is the
    mean longest run in tokens, `overlap_share` that as a share of the text; `distinct_1` ... as
    `distinct`, for the samples; the names of the baseline end in `_held_out`.
    """
    figures = {}
    for ending, texts in (('', samples), ('_held_out', held_out)):
        texts = [list(ids) for ids in texts if len(ids)]
        if not texts:
            continue
        runs = [index.longest(ids) for ids in texts]
        figures['overlap' + ending] = float(np.mean(runs))
        figures['overlap_share' + ending] = float(np.mean(
            [run / len(ids) for run, ids in zip(runs, texts)]))
        for n in (1, 2, 3):
            figures['distinct_%d%s' % (n, ending)] = distinct(texts, n)
    return figures
