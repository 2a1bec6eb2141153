"""Snapshots: a folder with the weights and everything that is needed to sample from them.

    weights.npz     arrays under the released names (`model/wte`, `model/h0/attn/c_attn/w`, ...)
    hparams.json    the five sizes
    encoder.json    the vocabulary
    vocab.bpe       its merges
    snapshot.json   how texts were formatted in training (`tagged`), the step and its losses

The layouts of other programs are read as well, see `formats`. Whatever the layout, a model is
checked as a whole before anything is built from it: sizes, vocabulary, names, shapes, types and
values of the weights.
"""

import collections
import dataclasses
import pathlib

import numpy as np

from dnnlib import archive, files, knobs
from dnnlib.files import UserError
from gpt2 import encoder, formats
from gpt2.config import Network

# network: config.Network. weights: name -> float32 array. encoder: encoder.Encoder. facts: the dict
# of snapshot.json, empty for a model of another program.
Snapshot = collections.namedtuple('Snapshot', 'network weights encoder facts')


def find(path):
    """The folder with the weights: `path` itself, its `snapshot` if it is a run folder, or, if it
    is a file, the folder that contains it. Raises UserError."""
    path = files.existing(path, 'a text model: a run folder, a snapshot or a released model')
    folder = path.parent if path.is_file() else path
    for place in (folder, folder / 'snapshot'):
        if (place / 'hparams.json').exists() or (place / 'config.json').exists():
            return place
    raise UserError(f'{path} is not a text model (no hparams.json, no config.json); give a folder '
                    'that train-gpt2 or download has written')


def _network(path):
    try:
        return knobs.from_dict(Network, files.read_json(path))
    except (TypeError, UserError) as error:
        raise UserError(f'{path} does not hold the sizes of a GPT-2 model ({error}); copy it again')


def _facts(path):
    """The dict of `snapshot.json`; empty if there is no such file."""
    facts = files.read_json(path) if path.exists() else {}
    if not isinstance(facts.get('tagged', False), bool):
        raise UserError(f"{path}: 'tagged' must be true or false; copy it again")
    return facts


def _checked(weights, network, source):
    """The weights as float32. Raises UserError unless they are those of `network`, and finite."""
    formats.check_shapes({name: list(values.shape) for name, values in weights.items()}, network,
                         source)
    result = {}
    for name, values in weights.items():
        if values.dtype.kind != 'f':
            raise UserError(f'{source}: {name} has the type {values.dtype}, not float; copy the '
                            'model again')
        with np.errstate(over='ignore'):
            result[name] = np.asarray(values, np.float32)
        if not np.isfinite(result[name]).all():
            raise UserError(f'{source}: {name} holds values that are not finite; use an earlier '
                            'snapshot, or train again with a smaller --learning-rate')
    return result


def read(path):
    """The Snapshot in the folder that `find` finds. Raises UserError if any part is not sound."""
    folder = find(path)
    vocabulary = encoder.load(folder)
    if (folder / 'hparams.json').exists():
        network = _network(folder / 'hparams.json')
    else:
        network = formats.transformers_network(folder / 'config.json')
    if vocabulary.size != network.n_vocab:
        raise UserError(f'{folder} has weights for {network.n_vocab} tokens and a vocabulary of '
                        f'{vocabulary.size}; copy both from the same model, without added tokens')
    if not (folder / 'hparams.json').exists():
        weights = formats.read_transformers(folder, network)
    elif (folder / 'weights.npz').exists():
        weights = archive.read(folder / 'weights.npz', 'file of weights',
                               'copy it or train the model again')
    else:
        weights = formats.read_released(folder, network)
    return Snapshot(network, _checked(weights, network, folder), vocabulary,
                    _facts(folder / 'snapshot.json'))


def write(folder, snapshot):
    """Write a Snapshot; each file is whole or absent, and those that `find` looks for come last."""
    folder = pathlib.Path(folder)
    snapshot.encoder.save(folder)
    files.write_json(folder / 'snapshot.json', snapshot.facts)
    archive.write(folder / 'weights.npz', snapshot.weights)
    files.write_json(folder / 'hparams.json', dataclasses.asdict(snapshot.network))
