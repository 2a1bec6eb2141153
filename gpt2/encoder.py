"""Text to tokens and back: byte-level byte pair encoding (GPT-2 2019, section 2.2).

The released pair of files is the format: `encoder.json` maps a token's spelling to its id, and
`vocab.bpe` lists the merges, best first, below a version line. A spelling writes each byte as one
printable character: those of Latin-1 stand for themselves, and the other bytes, in their order, are
written U+0100, U+0101, and so on. The `transformers` library calls the same files `vocab.json` and
`merges.txt`, and since its version 5 writes one, `tokenizer.json`, in their place.

The last id, `<|endoftext|>`, ends a text. It is an id without a spelling: no text is encoded to it,
unless it is asked for.
"""

import hashlib
import json
import os
import pathlib

import tokenizers
from tokenizers import models, pre_tokenizers, trainers

from dnnlib import files
from dnnlib.files import UserError

END_OF_TEXT = '<|endoftext|>'
RELEASED, TRANSFORMERS = ('encoder.json', 'vocab.bpe'), ('vocab.json', 'merges.txt')
# Left unsaid, the library warns when a program that has used all cores starts another one.
os.environ.setdefault('TOKENIZERS_PARALLELISM', 'true')
_VERSION = '#version: 0.2'  # the released file's first line


def _byte_table():
    """Character of a spelling -> the byte that it stands for."""
    characters = sorted(pre_tokenizers.ByteLevel.alphabet())
    bytes_ = [byte for byte in range(256) if chr(byte) in characters]
    bytes_ += [byte for byte in range(256) if chr(byte) not in characters]
    return dict(zip(characters, bytes_))


_BYTES = _byte_table()


def _tokenizer(model):
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def _writable(text):
    """A text that UTF-8 can hold: a lone surrogate becomes '?'."""
    return text.encode('utf-8', 'replace').decode('utf-8')


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
        self._bytes = {i: bytes(_BYTES[character] for character in spelling)
                       for spelling, i in ids.items()}
        self._bytes[self.end] = b''
        # Left out of the library's vocabulary, end-of-text cannot be made from text at all.
        ordinary = {spelling: i for spelling, i in ids.items() if spelling != END_OF_TEXT}
        self._tokenizer = _tokenizer(models.BPE(ordinary, merges))

    def encode(self, text, marks=False):
        """The ids of a text. A lone surrogate, which no UTF-8 file can hold, becomes '?'.

        marks: whether `<|endoftext|>` in the text is the id `end`; otherwise it is these thirteen
            characters, as in the released program.
        """
        first, *others = text.split(END_OF_TEXT) if marks else [text]
        ids = self._encode(first)
        for part in others:
            ids += [self.end] + self._encode(part)
        return ids

    def _encode(self, text):
        return self._tokenizer.encode(_writable(text)).ids

    def encode_batch(self, texts):
        """As `encode` without marks, of a list of texts on all cores: a list of lists of ids."""
        return [one.ids for one in self._tokenizer.encode_batch([_writable(t) for t in texts])]

    def decode_bytes(self, ids):
        """The bytes of ids, exactly; end-of-text has none."""
        return b''.join(self._bytes[int(i)] for i in ids)

    def decode(self, ids):
        """The text of ids, end-of-text left out; bytes that are no UTF-8 become U+FFFD."""
        return self.decode_bytes(ids).decode('utf-8', 'replace')

    def digest(self):
        """16 hexadecimal digits that stand for this vocabulary."""
        content = json.dumps([self._ids, self._merges], sort_keys=True)
        return hashlib.sha256(content.encode('utf-8')).hexdigest()[:16]

    def save(self, folder, names=RELEASED):
        """Write the vocabulary and its merges into a folder, in files of these two names."""
        lines = [_VERSION] + ['%s %s' % pair for pair in self._merges]
        folder = pathlib.Path(folder)
        files.write_text(folder / names[1], '\n'.join(lines) + '\n')
        files.write_text(folder / names[0], json.dumps(self._ids))


def _described(model):
    """(ids, merges) of a model as the `tokenizers` library describes it.

    Up to version 0.19 it writes a merge as 'a b', since then as ['a', 'b'].
    """
    pairs = [merge.split(' ') if isinstance(merge, str) else merge for merge in model['merges']]
    return dict(model['vocab']), [tuple(pair) for pair in pairs]


def _read_pair(ids, merges):
    text = files.existing(merges, 'the merges').read_text(encoding='utf-8')
    return files.read_json(ids), [tuple(line.split(' ')) for line in text.split('\n')[1:] if line]


def _read_single(path):
    """(ids, merges) of a `tokenizer.json`; none if it splits or changes texts in another way."""
    whole = files.read_json(path)
    split, model = [whole.get(part) or {} for part in ('pre_tokenizer', 'model')]
    if (whole.get('normalizer') or model.get('type') != 'BPE' or split.get('type') != 'ByteLevel'
            or split.get('add_prefix_space') or not split.get('use_regex', True)):
        return {}, []
    ids, merges = _described(model)
    ids.update({token['content']: token['id'] for token in whole['added_tokens']})
    return ids, merges


def _is_whole(ids, merges):
    """Whether every byte has a token, every merge makes one, and end-of-text is the last."""
    known = set(ids)
    return (sorted(ids.values()) == list(range(len(ids))) and ids.get(END_OF_TEXT) == len(ids) - 1
            and set(_BYTES) <= known and set(''.join(ids)) <= set(_BYTES)
            and all(len(pair) == 2 and {*pair, ''.join(pair)} <= known for pair in merges))


def load(folder):
    """The Encoder of a folder that holds the two files, under either pair of names, or the one.

    Raises UserError.
    """
    folder = pathlib.Path(folder)
    single = folder / 'tokenizer.json'
    pairs = [[folder / name for name in names] for names in (RELEASED, TRANSFORMERS)]
    found = [pair for pair in pairs if pair[0].exists()]
    if single.exists() and not found:
        ids, merges = _read_single(single)
    else:
        ids, merges = _read_pair(*(found + pairs)[0])
    if not _is_whole(ids, merges):
        raise UserError('%s: the vocabulary and its merges are not those of one GPT-2 model; copy '
                        'both from the same place' % folder)
    return Encoder(ids, merges)


def train(texts, size):
    """An Encoder of at most `size` ids, learnt from texts: 256 bytes, merges, end-of-text."""
    assert size > 257, size
    tokenizer = _tokenizer(models.BPE())
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size - 1, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    ids, merges = _described(json.loads(tokenizer.to_str())['model'])
    ids[END_OF_TEXT] = len(ids)
    return Encoder(ids, merges)
