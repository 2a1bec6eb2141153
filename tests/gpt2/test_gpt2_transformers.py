"""Our models in the library `transformers`, and its models here, where it and torch are installed.

They are not among the requirements; `pip install torch transformers` brings them.
"""

import importlib.util
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from dnnlib import tflib
from dnnlib.tflib import tf
from gpt2 import encoder, formats, model, snapshots, write
from gpt2.config import Network

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ('torch', 'transformers')),
    reason='torch and transformers are not installed')

THEIRS = pathlib.Path(__file__).parents[1] / 'theirs_gpt2.py'
TEXTS = ['A red midi dress.\n- Imported', 'a blue mini dress, 178 cm', "It's a red skirt"]
OTHERS = ['', '  two  \n', '日本語 👗', 'A red<|endoftext|> dress<|endoftext|>']
VOCABULARY = encoder.train(TEXTS, 300)
SMALL = Network(n_vocab=VOCABULARY.size, n_ctx=48, n_embd=32, n_head=4, n_layer=3)
PROMPTS = ['', 'A red', 'a blue mini dress', ' skirt']
TOKENS = np.random.RandomState([6]).randint(SMALL.n_vocab, size=[3, 40]).astype(np.int32)


def ask(folder, save=None):
    """What `transformers` does with the model in a folder."""
    wishes, answers = folder.parent / 'wishes.json', folder.parent / 'answers.json'
    wishes.write_text(json.dumps({'tokens': TOKENS.tolist(), 'prompts': PROMPTS, 'save': save,
                                  'texts': TEXTS + OTHERS, 'room': SMALL.n_ctx}))
    subprocess.check_call([sys.executable, str(THEIRS), str(folder), str(wishes), str(answers)])
    return json.loads(answers.read_text())


@pytest.fixture(scope='module')
def values():
    """Weights large enough that texts differ."""
    with tf.Graph().as_default():
        model.model(tf.zeros([1, 2], tf.int32), SMALL)
        values = model.initial(tf.trainable_variables(), 5)
    return {name: value * (1 if name.endswith('/g') else 4) for name, value in values.items()}


@pytest.fixture(scope='module')
def exported(values, tmp_path_factory):
    return written(tmp_path_factory.mktemp('ours'), values)


def written(folder, values):
    snapshots.write(folder / 'snapshot', snapshots.Snapshot(SMALL, values, VOCABULARY, {}))
    formats.export(snapshots.read(folder / 'snapshot'), folder / 'exported', 'transformers')
    return folder / 'exported'


def agree(folder, theirs):
    """Logits of random tokens and greedy texts of the model in a folder are those of theirs."""
    assert theirs['wrong'] == []
    network, values, _, _ = snapshots.read(folder)
    with tf.Graph().as_default(), tflib.session(1) as sess:
        logits, _ = model.model(tf.constant(TOKENS), network)
        tflib.assign(sess, values)
        logits = sess.run(logits)
    assert logits.std() > 0.5
    np.testing.assert_allclose(logits, np.array(theirs['logits']), atol=2e-4)
    texts = write.Writer(folder, threads=1).texts(
        PROMPTS, seeds=range(len(PROMPTS)), temperature=0)
    assert texts == theirs['decoded'] and len(set(texts)) == len(PROMPTS)


def with_end_of_text(text):
    """The ids of a text in which `<|endoftext|>` is one token."""
    first, *others = [VOCABULARY.encode(part) for part in text.split(encoder.END_OF_TEXT)]
    return first + [i for part in others for i in [VOCABULARY.end, *part]]


def test_ours_opens_there_and_writes_the_same(exported):
    theirs = ask(exported)
    agree(exported.parent / 'snapshot', theirs)
    assert theirs['vocabulary'] == [VOCABULARY.size, VOCABULARY.end, SMALL.n_ctx]
    assert theirs['ids'] == [with_end_of_text(text) for text in TEXTS + OTHERS]


def test_it_stops_there_at_the_end_of_text_by_itself(values, tmp_path):
    """A model whose best token is always end-of-text writes nothing more."""
    folder = written(tmp_path, dict(values, **{
        'model/ln_f/g': values['model/ln_f/g'] * 0,
        'model/ln_f/b': values['model/wte'][VOCABULARY.end] * 100}))
    assert ask(folder)['written'] == [[VOCABULARY.end]] * len(PROMPTS)


@pytest.mark.parametrize('saving', [{}, {'max_shard_size': '60KB'}])
def test_theirs_is_read_here_and_writes_the_same(exported, tmp_path, saving):
    """A model that was trained and saved there."""
    agree(tmp_path, ask(exported, dict(saving, save_directory=str(tmp_path))))
    assert (tmp_path / 'model.safetensors').exists() == (not saving)
