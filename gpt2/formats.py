"""The layouts of other programs: GPT-2 as OpenAI released it, and as `transformers` reads it.

Released:

    checkpoint, model.ckpt.*     a TensorFlow checkpoint; tools that fine-tune number theirs, and
                                 the file `checkpoint` names the newest
    hparams.json                 the five sizes
    encoder.json, vocab.bpe      the vocabulary, see `encoder`

The `transformers` library of Hugging Face:

    model.safetensors       the weights, or parts of them: `model-00001-of-00002.safetensors`, ...
    config.json             the sizes, and switches that have one value each in GPT-2
    vocab.json, merges.txt  the vocabulary; or both in one, `tokenizer.json`
    tokenizer_config.json   which class reads it

A matrix is [inputs, outputs] there as here; only the leading axis of length 1 is missing.
"""

import dataclasses
import pathlib
import re

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from dnnlib import files, lock, tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from gpt2 import encoder
from gpt2.config import Network, shapes
from gpt2.model import model

LAYOUTS = ('released', 'transformers')

_PREFIX = 'transformer.'  # of every name where the file holds the language model
# What a file may hold besides: masks, which are constants, and the embedding as output layer.
_NOT_WEIGHTS = ('.attn.bias', '.attn.masked_bias', 'lm_head.weight')

_SIZES = {'n_vocab': 'vocab_size', 'n_ctx': 'n_positions', 'n_embd': 'n_embd', 'n_head': 'n_head',
          'n_layer': 'n_layer'}
# Switches of config.json that change what the same weights compute, as GPT-2 has them.
_SWITCHES = {'model_type': 'gpt2', 'activation_function': 'gelu_new', 'layer_norm_epsilon': 1e-5,
             'n_inner': None, 'scale_attn_weights': True, 'scale_attn_by_inverse_layer_idx': False,
             'add_cross_attention': False, 'tie_word_embeddings': True}


def check_shapes(found, network, source):
    """Raise UserError unless `found`, name -> shape, has exactly the weights of a Network."""
    expected = shapes(network)
    for name in sorted(set(expected) | set(found)):
        if found.get(name) != expected.get(name):
            raise UserError(f'{source}: {files.printable(name)} is {found.get(name, "missing")} '
                            f'and should be {expected.get(name, "absent")}; sizes and weights are '
                            'not of the same model, copy both again')


# --- As released.

def read_released(folder, network):
    """The weights of a TensorFlow checkpoint: name -> array. Raises UserError."""
    try:
        checkpoint = tf.train.latest_checkpoint(str(folder)) or str(folder / 'model.ckpt')
        if not pathlib.Path(checkpoint + '.index').exists():
            raise UserError(f'{folder} has neither weights.npz nor model.ckpt.index; copy or train '
                            'the model again')
        reader = tf.train.load_checkpoint(checkpoint)
        stored = reader.get_variable_to_shape_map()
        check_shapes(stored, network, folder)  # before memory is allocated for what it claims
        return {name: reader.get_tensor(name) for name in stored}
    except (tf.errors.OpError, ValueError, IndexError) as error:
        raise UserError(f'the checkpoint in {folder} cannot be read ({_reason(error)}); copy or '
                        'download it again')


def _reason(error):
    return files.printable(str(error).split('\n')[0])[:200]


def _write_released(folder, snapshot):
    with tf.Graph().as_default(), tflib.session() as sess:
        model(tf.zeros([1, 1], tf.int32), snapshot.network)
        tflib.assign(sess, snapshot.weights)
        tf.train.Saver(save_relative_paths=True).save(sess, str(folder / 'model.ckpt'))
    snapshot.encoder.save(folder)
    files.write_json(folder / 'hparams.json', dataclasses.asdict(snapshot.network))


# --- As `transformers` reads it.

def _theirs(name):
    """Our name of a weight -> its name there, without the prefix."""
    parts = re.sub(r'^h(\d)', r'h.\1', name[len('model/'):].replace('/', '.')).split('.')
    kind = {'g': 'weight', 'w': 'weight', 'b': 'bias'}.get(parts[-1])
    return '.'.join(parts[:-1] + [kind] if kind else parts + ['weight'])


def transformers_network(path):
    """The Network of a config.json. Raises UserError if it describes anything but GPT-2."""
    config = files.read_json(path)
    sizes = {ours: config.get(theirs) for ours, theirs in _SIZES.items()}
    try:
        network = Network(**sizes)
    except UserError as error:
        raise UserError(f'{path} does not hold the sizes of a GPT-2 model ({error}); copy it again '
                        'from where the weights come from')
    if config.get('n_inner') == 4 * network.n_embd:
        config['n_inner'] = None  # which means the same
    for name, value in _SWITCHES.items():
        if config.get(name, value) != value:
            raise UserError(f'{path} has {name} {config[name]!r:.40}, and GPT-2 has {value}; give '
                            'a GPT-2 model')
    return network


def _tensors(path):
    """(name, array) of every weight in a file, its prefix removed."""
    try:
        with safe_open(str(path), framework='np') as tensors:
            for name in tensors.keys():  # noqa: SIM118  (not a dict)
                if name.endswith(_NOT_WEIGHTS):
                    continue
                kind = tensors.get_slice(name).get_dtype()
                if kind not in ('F32', 'F16'):
                    raise UserError(f'{path} holds {kind} numbers; save the model as float32')
                plain = name[len(_PREFIX):] if name.startswith(_PREFIX) else name
                yield plain, tensors.get_tensor(name)
    except (SafetensorError, OSError) as error:
        raise UserError(f'{path} cannot be read ({_reason(error)}); copy or download it again')


def read_transformers(folder, network):
    """The weights of a folder in this layout, in our names: name -> array. Raises UserError."""
    whole = folder / 'model.safetensors'
    paths = [whole] if whole.exists() else sorted(folder.glob('model-*-of-*.safetensors'))
    if not paths:
        raise UserError(f'{folder} has no model.safetensors; save the model in that form')
    ours, weights = {_theirs(name): name for name in shapes(network)}, {}
    for path in paths:
        for name, values in _tensors(path):
            if name not in ours:
                raise UserError(f'{path} holds {files.printable(name)}, which is not in a GPT-2 '
                                'model of these sizes; give a GPT-2 model')
            weights[ours[name]] = values[np.newaxis] if ours[name].endswith('/w') else values
    return weights


def _write_transformers(folder, snapshot):
    """Write a model so that `GPT2LMHeadModel` and `AutoTokenizer` open the folder."""
    network, vocabulary = snapshot.network, snapshot.encoder
    tensors = {_PREFIX + _theirs(name): values[0] if name.endswith('/w') else values
               for name, values in snapshot.weights.items()}
    try:
        save_file(tensors, str(folder / 'model.safetensors'), metadata={'format': 'pt'})
    except SafetensorError as error:
        raise OSError(str(error))  # as every other writer, so that a full disk is known
    config = dict(_SWITCHES, architectures=['GPT2LMHeadModel'], n_ctx=network.n_ctx,
                  bos_token_id=vocabulary.end, eos_token_id=vocabulary.end)
    config.update({theirs: getattr(network, ours) for ours, theirs in _SIZES.items()})
    files.write_json(folder / 'config.json', config)
    vocabulary.save(folder, encoder.TRANSFORMERS)
    files.write_json(folder / 'tokenizer_config.json', {
        'tokenizer_class': 'GPT2Tokenizer', 'model_max_length': network.n_ctx,
        'bos_token': encoder.END_OF_TEXT, 'eos_token': encoder.END_OF_TEXT,
        'unk_token': encoder.END_OF_TEXT, 'add_prefix_space': False})


# --- Either.

def export(snapshot, folder, layout):
    """Write a Snapshot into a new folder for other programs, whole or not at all.

    `snapshot.json` goes along, as only it says how texts were formatted in training: with it, an
    exported model samples here what the original samples.
    layout: one of LAYOUTS. Raises UserError if `folder` exists.
    """
    assert layout in LAYOUTS, layout
    folder = pathlib.Path(folder)
    if folder.exists():
        raise UserError(f'{folder} exists; give a new folder with --out')
    with lock.new(folder), tflib.disk_errors(folder), files.creating(folder) as unfinished:
        (_write_released if layout == 'released' else _write_transformers)(unfinished, snapshot)
        if snapshot.facts:
            files.write_json(unfinished / 'snapshot.json', snapshot.facts)
