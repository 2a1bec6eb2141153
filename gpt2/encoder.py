"""Text to tokens and back: byte-level byte pair encoding (GPT-2 2019, section 2.2).

The released pair of files is the format: `encoder.json` maps a token's spelling to its id, and
`vocab.bpe` lists the merges, best first, below a version line. A spelling writes each byte as one
printable character (the `tokenizers` library knows the table).

The last id, `<|endoftext|>`, ends a text. It is an id without a spelling: no text is encoded to it.
"""

import json
import pathlib

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from dnnlib import files
from dnnlib.files import UserError

END_OF_TEXT = '<|endoftext|>'
_VERSION = '#version: 0.2'  # the released file's first line


def _tokenizer(model):
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


class Encoder:
    """One vocabulary.

    ids:    dict of a token's spelling -> id, 0 to n - 1, `<|endoftext|>` last.
    merges: list of pairs of spellings, in order of preference.
    Attributes: size (number of ids), end (the id of end-of-text).
    """

    def __init__(self, ids, merges):
        self.size = len(ids)
        self.end = self.size - 1
        assert sorted(ids.values()) == list(range(self.size)) and ids[END_OF_TEXT] == self.end
        self._ids, self._merges = ids, merges
        # Left out of the library's vocabulary, end-of-text cannot be made from text at all.
        ordinary = {spelling: i for spelling, i in ids.items() if spelling != END_OF_TEXT}
        self._tokenizer = _tokenizer(models.BPE(ordinary, merges))

    def encode(self, text):
        """The ids of a text. A lone surrogate, which no UTF-8 file can hold, becomes '?'."""
        return self._tokenizer.encode(text.encode('utf-8', 'replace').decode('utf-8')).ids

    def decode(self, ids):
        """The text of ids, end-of-text left out; bytes that are no UTF-8 become U+FFFD."""
        return self._tokenizer.decode([int(i) for i in ids if i != self.end])

    def save(self, folder):
        """Write `encoder.json` and `vocab.bpe` into a folder."""
        lines = [_VERSION] + ['%s %s' % pair for pair in self._merges]
        folder = pathlib.Path(folder)
        files.write_text(folder / 'vocab.bpe', '\n'.join(lines) + '\n')
        files.write_text(folder / 'encoder.json', json.dumps(self._ids))


def load(folder):
    """The Encoder of a folder with `encoder.json` and `vocab.bpe`. Raises UserError."""
    folder = pathlib.Path(folder)
    ids = files.read_json(folder / 'encoder.json')
    text = files.existing(folder / 'vocab.bpe', 'the merges').read_text(encoding='utf-8')
    merges = [tuple(line.split(' ')) for line in text.split('\n')[1:] if line]
    known = all(len(pair) == 2 and set(pair + (''.join(pair),)) <= set(ids) for pair in merges)
    if not known or ids.get(END_OF_TEXT) != len(ids) - 1:
        raise UserError('%s: encoder.json and vocab.bpe do not belong together; '
                        'copy both from the same model' % folder)
    return Encoder(ids, merges)


def train(texts, size):
    """An Encoder of at most `size` ids, learnt from texts: 256 bytes, merges, end-of-text."""
    assert size > 257, size
    tokenizer = _tokenizer(models.BPE())
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size - 1, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    model = json.loads(tokenizer.to_str())['model']
    ids = dict(model['vocab'])
    ids[END_OF_TEXT] = len(ids)
    # Up to version 0.19 the library writes a merge as 'a b', since then as ['a', 'b'].
    pairs = [merge.split(' ') if isinstance(merge, str) else merge for merge in model['merges']]
    return Encoder(ids, [tuple(pair) for pair in pairs])
