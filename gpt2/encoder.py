"""Text to tokens and back: byte-level byte pair encoding (GPT-2 2019, section 2.2).

The released pair of files is the format: `encoder.json` maps a token's spelling to its id, and
`vocab.bpe` lists the merges, best first, below a version line. A spelling writes each byte as one
printable character: those of Latin-1 stand for themselves, and the other bytes, in their order, are
written U+0100, U+0101, and so on. The `transformers` library calls the same files `vocab.json` and
`merges.txt`, and since its version 5 writes one, `tokenizer.json`, in their place.

The last id, `<|endoftext|>`, ends a text. It has no spelling: no text is encoded to it.
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
# Without a value, the library warns when a program that has used all cores starts another one.
os.environ.setdefault('TOKENIZERS_PARALLELISM', 'true')
_VERSION = '#version: 0.2'  # the released file's first line


def _byte_table():
    """Character of a spelling -> its byte."""
    characters = sorted(pre_tokenizers.ByteLevel.alphabet())
    bytes_ = [byte for byte in range(256) if chr(byte) in characters]
    bytes_ += [byte for byte in range(256) if chr(byte) not in characters]
    return dict(zip(characters, bytes_))


_BYTES = _byte_table()


def _tokenizer(model):
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def _encodable(text):
    """The text with lone surrogates, which UTF-8 cannot hold, as '?'."""
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

    def encode(self, text):
        """The ids of a text. A lone surrogate, which no UTF-8 file can hold, becomes '?'.

        `<|endoftext|>` in the text is these thirteen characters, as in the released program.
        """
        return self._tokenizer.encode(_encodable(text)).ids

    def encode_batch(self, texts):
        """As `encode`, of a list of texts on all cores: a list of lists of ids."""
        return [one.ids for one in self._tokenizer.encode_batch([_encodable(t) for t in texts])]

    def decode_bytes(self, ids):
        """The bytes of ids, exactly; end-of-text has none."""
        return b''.join(self._bytes[int(i)] for i in ids)

    def decode(self, ids):
        """The text of ids without end-of-text; bytes that are not UTF-8 become U+FFFD."""
        return self.decode_bytes(ids).decode('utf-8', 'replace')

    def digest(self):
        """16 hexadecimal digits that identify this vocabulary."""
        content = json.dumps([self._ids, self._merges], sort_keys=True)
        return hashlib.sha256(content.encode('utf-8')).hexdigest()[:16]

    def save(self, folder, names=RELEASED):
        """Write the vocabulary and its merges into a folder, in two files of these names."""
        lines = [_VERSION] + [' '.join(pair) for pair in self._merges]
        folder = pathlib.Path(folder)
        files.write_text(folder / names[1], '\n'.join(lines) + '\n')
        files.write_text(folder / names[0], json.dumps(self._ids))


# --- Reading. Whatever the layout, `_fault` decides whether it is a vocabulary.

def _model_parts(model):
    """(ids, merges) of a BPE model as the `tokenizers` library describes it.

    Up to version 0.19 it writes a merge as 'a b', since then as ['a', 'b'].
    """
    pairs = [pair.split(' ') if isinstance(pair, str) else pair for pair in model['merges']]
    return dict(model['vocab']), [tuple(pair) for pair in pairs]


def _read_pair(ids, merges):
    lines = files.read_text(merges).split('\n')
    return files.read_json(ids), [tuple(line.split(' ')) for line in lines[1:] if line]


def _read_single(path):
    """(ids, merges) of a `tokenizer.json`; none if it splits or changes texts in another way."""
    content = files.read_json(path)
    try:
        split, model = [content.get(part) or {} for part in ('pre_tokenizer', 'model')]
        if (content.get('normalizer') or model.get('type') != 'BPE'
                or split.get('type') != 'ByteLevel' or split.get('add_prefix_space')
                or not split.get('use_regex', True)):
            return {}, []
        ids, merges = _model_parts(model)
        ids.update({token['content']: token['id'] for token in content['added_tokens']})
        return ids, merges
    except (AttributeError, KeyError, TypeError, ValueError):  # not of this form at all
        return {}, []


def _fault(ids, merges):
    """What keeps ids and merges from being a vocabulary of GPT-2; None if nothing does."""
    if not all(type(token) is str and type(i) is int for token, i in ids.items()) or (
            sorted(ids.values()) != list(range(len(ids)))):
        return f'its {len(ids)} ids are not the numbers from 0 to {len(ids) - 1}'
    if ids.get(END_OF_TEXT) != len(ids) - 1:
        return f'{END_OF_TEXT} is not its last token'
    known, letters = set(ids), set(_BYTES)
    if not letters <= known or not set(''.join(ids)) <= letters:
        return 'its tokens are not spelt in the 256 bytes'
    for pair in merges:
        if len(pair) != 2 or not all(type(part) is str and part in known for part in pair):
            return f'a merge is {" ".join(map(str, pair))!r:.40} and not two of its tokens'
    merged = {''.join(pair) for pair in merges}
    if merged != known - letters - {END_OF_TEXT}:
        return f'the {len(merged)} merged tokens are not its other {len(ids) - 257}'
    return None


def load(folder):
    """The Encoder of a folder that holds the two files, under either pair of names, or the one.

    Raises UserError for anything but the vocabulary of a GPT-2 model and all of its merges.
    """
    folder = pathlib.Path(folder)
    single = folder / 'tokenizer.json'
    pairs = [[folder / name for name in names] for names in (RELEASED, TRANSFORMERS)]
    existing = [pair for pair in pairs if pair[0].exists()]
    if single.exists() and not existing:
        sources, (ids, merges) = [single], _read_single(single)
    else:
        sources = (existing + pairs)[0]
        ids, merges = _read_pair(*sources)
    fault = _fault(ids, merges)
    if fault:
        names = ' and '.join(path.name for path in sources)
        raise UserError(f'{folder}: {names} are not the vocabulary of a GPT-2 model: {fault}; copy '
                        'the files again from where the weights come from')
    return Encoder(ids, merges)


def train(texts, size):
    """An Encoder of at most `size` ids, trained on texts: 256 bytes, merges, end-of-text."""
    assert size > 257, size
    tokenizer = _tokenizer(models.BPE())
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size - 1, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    ids, merges = _model_parts(json.loads(tokenizer.to_str())['model'])
    ids[END_OF_TEXT] = len(ids)
    return Encoder(ids, merges)
