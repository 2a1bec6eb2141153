"""A text model for other programs, in one of the two layouts that they read.

    released       as OpenAI published GPT-2: `checkpoint`, `model.ckpt.*`, `hparams.json`,
                   `encoder.json`, `vocab.bpe`
    transformers   see `huggingface`

`snapshot.json` goes along, as only it says how texts were written down in training: with it an
exported model writes here what the original writes.
"""

import dataclasses
import pathlib
import shutil

from dnnlib import files, tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from gpt2 import encoder, huggingface, weights
from gpt2.model import model

LAYOUTS = ('released', 'transformers')


def _write_released(folder, network, sess, vocabulary):
    """Write the model whose variables `sess` holds."""
    tf.train.Saver(save_relative_paths=True).save(sess, str(folder / 'model.ckpt'))
    vocabulary.save(folder)
    files.write_json(folder / 'hparams.json', dataclasses.asdict(network))


def export(source, folder, layout):
    """Write the model at `source` (see `weights.find`) into a new folder, whole or not at all.

    layout: one of LAYOUTS. Raises UserError if `folder` exists or `source` is no whole model.
    """
    assert layout in LAYOUTS, layout
    source, folder = weights.find(source), pathlib.Path(folder)
    if folder.exists():
        raise UserError(f'{folder} exists; give a new folder with --out')
    network, values = weights.read(source)
    vocabulary, about = encoder.load(source), weights.about(source)
    temporary = folder.with_name(folder.name + '.part')
    shutil.rmtree(str(temporary), ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        with tf.Graph().as_default(), tflib.session() as sess:
            model(tf.zeros([1, 1], tf.int32), network)
            weights.assign(sess, values, source)
            if layout == 'released':
                _write_released(temporary, network, sess, vocabulary)
            else:
                huggingface.write(temporary, network, values, vocabulary)
        if about:
            files.write_json(temporary / 'snapshot.json', about)
        temporary.rename(folder)
    finally:
        shutil.rmtree(str(temporary), ignore_errors=True)
