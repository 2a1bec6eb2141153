"""The layout of the `transformers` library, in which Hugging Face publishes GPT-2.

    model.safetensors       the weights, or parts of them: `model-00001-of-00002.safetensors`, ...
    config.json             the sizes, and switches of which GPT-2 leaves each where it is
    vocab.json, merges.txt  the vocabulary, see `encoder`; or both in one, `tokenizer.json`
    tokenizer_config.json   which class reads it

A matrix is [inputs, outputs] there as here; only the leading axis of length 1 is missing.
"""

import dataclasses
import pathlib
import shutil

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from dnnlib import files, tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from gpt2 import encoder, snapshots
from gpt2.config import Network
from gpt2.model import model

_PREFIX = 'transformer.'  # in front of every name where the file holds the language model
# What a file may hold besides: masks, which are constants, and the table of tokens once more.
_NOT_WEIGHTS = ('.attn.bias', '.attn.masked_bias', 'lm_head.weight')

_SIZES = {'n_vocab': 'vocab_size', 'n_ctx': 'n_positions', 'n_embd': 'n_embd', 'n_head': 'n_head',
          'n_layer': 'n_layer'}
# Switches of config.json that change what the same weights compute, as GPT-2 has them.
_SWITCHES = {'model_type': 'gpt2', 'activation_function': 'gelu_new', 'layer_norm_epsilon': 1e-5,
             'n_inner': None, 'scale_attn_weights': True, 'scale_attn_by_inverse_layer_idx': False,
             'add_cross_attention': False, 'tie_word_embeddings': True}


def names(network):
    """Their name of each weight -> ours."""
    table = {'wte.weight': 'model/wte', 'wpe.weight': 'model/wpe'}
    norms, dense = ['ln_f'], []
    for i in range(network.n_layer):
        norms += ['h%d/ln_1' % i, 'h%d/ln_2' % i]
        dense += ['h%d/%s' % (i, part)
                  for part in ('attn/c_attn', 'attn/c_proj', 'mlp/c_fc', 'mlp/c_proj')]
    for layers, weight, bias in ((norms, '/g', '/b'), (dense, '/w', '/b')):
        for layer in layers:
            theirs = layer.replace('/', '.').replace('h', 'h.', 1)
            table[theirs + '.weight'] = 'model/' + layer + weight
            table[theirs + '.bias'] = 'model/' + layer + bias
    return table


def _network(folder):
    """The Network of a config.json; UserError if it describes anything but GPT-2."""
    path = folder / 'config.json'
    config = files.read_json(path)
    if config.get('n_inner') == 4 * config.get('n_embd', 0):
        config['n_inner'] = None  # which means the same
    for name, value in _SWITCHES.items():
        if config.get(name, value) != value:
            raise UserError('%s has %s %s, and GPT-2 has %s; give a GPT-2 model'
                            % (path, name, config[name], value))
    missing = [name for name in _SIZES.values() if name not in config]
    if missing:
        raise UserError('%s does not say %s; copy it again from where the weights come from'
                        % (path, ', '.join(missing)))
    return Network(**{ours: config[theirs] for ours, theirs in _SIZES.items()})


def _tensors(path):
    """(name, array) of every weight in a file, its prefix removed."""
    try:
        with safe_open(str(path), framework='np') as tensors:
            for name in tensors.keys():
                if name.endswith(_NOT_WEIGHTS):
                    continue
                kind = tensors.get_slice(name).get_dtype()
                if kind not in ('F32', 'F16'):
                    raise UserError(f'{path} holds {kind} numbers; save the model as float32')
                plain = name[len(_PREFIX):] if name.startswith(_PREFIX) else name
                yield plain, tensors.get_tensor(name)
    except (SafetensorError, OSError) as error:
        raise UserError(f'{path} cannot be read ({error}); copy or download it again')


def read(folder):
    """(Network, dict of name -> float32 array) of a folder in this layout, in our names.

    Raises UserError: files missing or damaged, another model than GPT-2, tokens that were added.
    """
    folder = pathlib.Path(folder)
    network = _network(folder)
    size = encoder.load(folder).size
    if size != network.n_vocab:
        raise UserError('%s has weights for %d tokens and a vocabulary of %d; tokens that were '
                        'added to it cannot be read' % (folder, network.n_vocab, size))
    whole = folder / 'model.safetensors'
    paths = [whole] if whole.exists() else sorted(folder.glob('model-*-of-*.safetensors'))
    if not paths:
        raise UserError(f'{folder} has no model.safetensors; save the model in that form')
    table, values = names(network), {}
    for path in paths:
        for name, value in _tensors(path):
            if name not in table:
                raise UserError(f'{path} holds {name}, which GPT-2 has not; give a GPT-2 model')
            ours = table[name]
            value = np.asarray(value, np.float32)
            values[ours] = value[np.newaxis] if ours.endswith('/w') else value
    return network, values


def write(folder, network, values, vocabulary):
    """Write a model so that `GPT2LMHeadModel` and `AutoTokenizer` open the folder.

    values: name -> float32 array, in our names; vocabulary: encoder.Encoder.
    """
    folder = pathlib.Path(folder)
    tensors = {_PREFIX + theirs: values[ours][0] if ours.endswith('/w') else values[ours]
               for theirs, ours in names(network).items()}
    save_file(tensors, str(folder / 'model.safetensors'), metadata={'format': 'pt'})
    config = dict(_SWITCHES, architectures=['GPT2LMHeadModel'], n_ctx=network.n_ctx,
                  bos_token_id=vocabulary.end, eos_token_id=vocabulary.end)
    config.update({theirs: getattr(network, ours) for ours, theirs in _SIZES.items()})
    files.write_json(folder / 'config.json', config)
    vocabulary.save(folder, encoder.TRANSFORMERS)
    files.write_json(folder / 'tokenizer_config.json', {
        'tokenizer_class': 'GPT2Tokenizer', 'model_max_length': network.n_ctx,
        'bos_token': encoder.END_OF_TEXT, 'eos_token': encoder.END_OF_TEXT,
        'unk_token': encoder.END_OF_TEXT, 'add_prefix_space': False})


LAYOUTS = ('released', 'transformers')


def _write_released(folder, network, sess, vocabulary):
    """Write the model whose variables `sess` holds."""
    tf.train.Saver(save_relative_paths=True).save(sess, str(folder / 'model.ckpt'))
    vocabulary.save(folder)
    files.write_json(folder / 'hparams.json', dataclasses.asdict(network))


def export(source, folder, layout):
    """Write the model at `source` (see `snapshots.find`) into a new folder, whole or not at all.

    layout: one of LAYOUTS. Raises UserError if `folder` exists or `source` is no whole model.
    """
    assert layout in LAYOUTS, layout
    source, folder = snapshots.find(source), pathlib.Path(folder)
    if folder.exists():
        raise UserError(f'{folder} exists; give a new folder with --out')
    network, values = snapshots.read(source)
    vocabulary, about = encoder.load(source), snapshots.about(source)
    temporary = folder.with_name(folder.name + '.part')
    shutil.rmtree(str(temporary), ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        with tf.Graph().as_default(), tflib.session() as sess:
            model(tf.zeros([1, 1], tf.int32), network)
            snapshots.assign(sess, values, source)
            if layout == 'released':
                _write_released(temporary, network, sess, vocabulary)
            else:
                write(temporary, network, values, vocabulary)
        if about:
            files.write_json(temporary / 'snapshot.json', about)
        temporary.rename(folder)
    finally:
        shutil.rmtree(str(temporary), ignore_errors=True)
