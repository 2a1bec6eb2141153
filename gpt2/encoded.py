"""Encoded texts: encoded on all cores, cached in an `.npz` so that it is done once.

    ids         uint16 or int32 [total], the tokens of all documents, concatenated
    offsets     int64 [documents + 1], where each document begins and the last one ends
    vocabulary  `Encoder.digest` of the vocabulary; optional

A run folder holds its texts as `encoded-HASH.npz`, HASH being that of the vocabulary and the texts.
Any file in this format can be trained on in place of texts. A document ends with end-of-text; where
it is missing it is added.
"""

import hashlib
import itertools
import pathlib

import numpy as np

from dnnlib import archive, files, progress
from dnnlib.files import UserError
from gpt2.encoder import END_OF_TEXT

_CHUNK = 1000  # texts between two updates of the progress bar


def _digest(texts, encoder):
    """16 hexadecimal digits that identify these texts in this vocabulary."""
    content = hashlib.sha256(encoder.digest().encode())
    for text in texts:
        data = text.encode('utf-8', 'replace')
        content.update(b'%d:' % len(data) + data)
    return content.hexdigest()[:16]


def _ids(texts, encoder):
    """The ids of a list of texts: lists of int, each ended by end-of-text."""
    split = [[part for part in text.split(END_OF_TEXT) if part.strip()] or [''] for text in texts]
    encoded = iter(encoder.encode_batch([part for parts in split for part in parts]))
    result = []
    for parts in split:
        ids = []
        for _ in parts:
            ids += next(encoded) + [encoder.end]
        result.append(ids)
    return result


def _encoded(texts, encoder):
    """The arrays of the file of these texts, by name."""
    dtype = np.uint16 if encoder.size <= 2 ** 16 else np.int32
    pieces, lengths = [], [0]
    with progress.bar(total=len(texts), what='encoding', unit='text', leave=False,
                      disable=len(texts) <= _CHUNK) as bar:
        for i in range(0, len(texts), _CHUNK):
            ids = _ids(texts[i:i + _CHUNK], encoder)
            pieces.append(np.fromiter(itertools.chain.from_iterable(ids), dtype))
            lengths += map(len, ids)
            bar.update(len(ids))
    return {'ids': np.concatenate(pieces), 'offsets': np.cumsum(lengths, dtype=np.int64),
            'vocabulary': np.array(encoder.digest())}


def _problem(arrays, encoder):
    """What is wrong with the arrays of a file of encoded texts; None if nothing is."""
    if not {'ids', 'offsets'} <= set(arrays):
        return f"it has {files.printable(', '.join(sorted(arrays))) or 'nothing'}, not ids, offsets"
    ids, offsets = arrays['ids'], arrays['offsets']
    for name in ('ids', 'offsets'):
        if arrays[name].ndim != 1 or arrays[name].dtype.kind not in 'iu' or not arrays[name].size:
            return f'{name} is not a list of whole numbers'
    if 'vocabulary' in arrays and str(arrays['vocabulary']) != encoder.digest():
        return "its ids belong to the vocabulary of another model"
    if ids.min() < 0 or ids.max() >= encoder.size:
        return f'its ids go from {ids.min()} to {ids.max()}, the vocabulary to {encoder.end}'
    lengths = np.diff(offsets.astype(np.int64))
    if offsets[0] != 0 or offsets[-1] != len(ids) or np.any(lengths < 1):
        return f'offsets do not rise from 0 to the {len(ids)} ids'
    return None


def _documents(arrays, end):
    """The documents in a file's arrays: int32 arrays, each ended by end-of-text."""
    ids, offsets = arrays['ids'].astype(np.int32), arrays['offsets'].tolist()
    documents = [ids[first:last] for first, last in zip(offsets, offsets[1:])]
    return [ids if ids[-1] == end else np.append(ids, np.int32(end)) for ids in documents]


def read(path, encoder):
    """The documents of a file of encoded texts: list of int32 [length], ended by end-of-text.

    encoder: the Encoder of the model.
    Raises UserError if the file is damaged, in another format, or of another vocabulary.
    """
    path = files.existing(path, 'a file of encoded texts')
    arrays = archive.read(path, 'file of encoded texts', 'delete it and encode the texts again')
    problem = _problem(arrays, encoder)
    if problem:
        raise UserError(f'{path} does not hold encoded texts for this model: {problem}; encode it '
                        'again, as ids [total] and offsets [documents + 1]')
    return _documents(arrays, encoder.end)


def encode(texts, encoder, folder=None):
    """The documents of a list of strings: list of int32 [length], each ended by end-of-text.

    `<|endoftext|>` in a text ends a document there. folder: of the cache `encoded-HASH.npz`; None
    for no cache.
    """
    if folder is None:
        return _documents(_encoded(texts, encoder), encoder.end)
    path = pathlib.Path(folder) / f'encoded-{_digest(texts, encoder)}.npz'
    if not path.exists():
        archive.write(path, _encoded(texts, encoder), packed=False)
    return read(path, encoder)
