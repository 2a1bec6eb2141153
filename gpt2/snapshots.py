"""Snapshots: the weights and whatever is needed to write with them, in one folder.

    weights.npz     arrays under the released names (`model/wte`, `model/h0/attn/c_attn/w`, ...)
    hparams.json    the five sizes
    encoder.json    the vocabulary
    vocab.bpe       its merges
    snapshot.json   how the texts were written down while training, and figures

The released layout has a TensorFlow checkpoint in place of `weights.npz`, and no `snapshot.json`.
The checkpoint is `model.ckpt.*` or what the file `checkpoint` names, as tools that fine-tune number
theirs. Both layouts are read, and so is that of `formats`.
"""

import dataclasses
import pathlib

import numpy as np

from dnnlib import archive, files, knobs, tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from gpt2.config import Network


def find(path):
    """The folder with the weights: `path` itself, its `snapshot` if it is a run folder, or, if it
    is a file, the folder it lies in. Raises UserError."""
    path = files.existing(path, 'a text model: a run folder, a snapshot or a released model')
    folder = path.parent if path.is_file() else path
    for place in (folder, folder / 'snapshot'):
        if (place / 'hparams.json').exists() or (place / 'config.json').exists():
            return place
    raise UserError('%s holds no text model (no hparams.json, no config.json); give a folder that '
                    'train-gpt2 or download has written' % path)


def about(folder):
    """The dict of `snapshot.json`; empty for a released model."""
    path = pathlib.Path(folder) / 'snapshot.json'
    return files.read_json(path) if path.exists() else {}


def _read_checkpoint(path):
    try:
        reader = tf.train.load_checkpoint(path)
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, ValueError) as error:
        reason = str(error).split('\n')[0]
        raise UserError(f'{path} cannot be read ({reason}); copy or download it again')


def read(path):
    """(Network, dict of name -> float32 array) of the model that `find` finds. Raises UserError."""
    folder = find(path)
    if not (folder / 'hparams.json').exists():
        from gpt2 import formats  # brings a library that no other layout needs
        return formats.read(folder)
    network = knobs.from_dict(Network, files.read_json(folder / 'hparams.json'))
    checkpoint = tf.train.latest_checkpoint(str(folder)) or str(folder / 'model.ckpt')
    if (folder / 'weights.npz').exists():
        values = archive.read(folder / 'weights.npz', 'file of weights',
                              'copy it or train the model again')
    elif pathlib.Path(checkpoint + '.index').exists():
        values = _read_checkpoint(checkpoint)
    else:
        raise UserError('%s has neither weights.npz nor model.ckpt.index; '
                        'copy or train the model again' % folder)
    return network, {name: np.asarray(value, np.float32) for name, value in values.items()}


def write(folder, network, values, encoder, facts):
    """Write a snapshot; `facts` becomes `snapshot.json`. A reader always finds whole files."""
    folder = pathlib.Path(folder)
    encoder.save(folder)
    files.write_json(folder / 'snapshot.json', facts)
    archive.write(folder / 'weights.npz', values)
    files.write_json(folder / 'hparams.json', dataclasses.asdict(network))


def assign(sess, values, source):
    """Set the model's variables of the default graph; `source` names the values in an error.

    Raises UserError unless names and shapes are exactly those of the graph.
    """
    ours = {v.op.name: v.shape.as_list() for v in tf.trainable_variables()}
    theirs = {name: list(value.shape) for name, value in values.items()}
    for name in sorted(set(ours) | set(theirs)):
        if ours.get(name) != theirs.get(name):
            raise UserError('%s: %s is %s there and should be %s; sizes and weights are not of one '
                            'model, copy both again'
                            % (source, name, theirs.get(name, 'missing'), ours.get(name, 'absent')))
    tflib.assign(sess, values)
