import pathlib

import numpy as np
import pytest

from catalog.demo import attributes, words
from dnnlib import tflib
from dnnlib.tflib import tf
from gpt2 import data, encoder, int8, model, packed, snapshots, write
from gpt2.config import Network, Sampling, shapes
from gpt2.snapshots import Snapshot

pytestmark = pytest.mark.skipif(not tflib.cpu_has_int8(), reason='needs VNNI and TensorFlow 2')

VOCABULARY = encoder.train(['a red dress', 'a blue dress', 'a red skirt'], 270)
SMALL = Network(n_vocab=VOCABULARY.size, n_ctx=40, n_embd=16, n_head=2, n_layer=2)
PROMPTS = ['', 'a', 'a red dress', 'skirt', 'ab' * 9, 'blue', 'r' * 15, 'b' * 16, 'x' * 30]


class Product:
    """A session with the int8 product of rows with a matrix float32 [inputs, outputs]."""

    def __init__(self, matrix, threads=1):
        inputs, outputs = matrix.shape
        network = Network(n_vocab=outputs, n_ctx=2, n_embd=inputs, n_head=1, n_layer=1)
        values = {name: np.zeros(shape, np.float32) for name, shape in shapes(network).items()}
        with tf.Graph().as_default():
            variables = int8.Variables(network)
            self._rows = tf.placeholder(tf.float32, [None, inputs])
            self._product = int8.product(self._rows, variables.by_name['model/wte'])
            self._session = tf.Session(config=tf.ConfigProto(
                intra_op_parallelism_threads=threads, use_per_session_threads=True))
            variables.assign(self._session, dict(values, **{'model/wte': matrix.T}))

    def __call__(self, rows):
        return self._session.run(self._product, {self._rows: rows})


def noise(*shape):
    return np.random.RandomState([1]).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize('threads', [1, 3])
@pytest.mark.parametrize('inputs, outputs', [(16, 300), (768, 260)])
def test_a_row_has_the_same_bits_whatever_is_beside_it(inputs, outputs, threads):
    x, matrix = noise(33, inputs), noise(inputs, outputs)
    product = Product(matrix, threads)
    whole = product(x)
    for first, last in ((0, 1), (0, 2), (1, 4), (5, 13), (9, 33)):
        np.testing.assert_array_equal(product(x[first:last]), whole[first:last])
    np.testing.assert_allclose(whole, x @ matrix, atol=0.05 * np.sqrt(inputs))


def test_sums_are_not_saturated():
    """Instructions without VNNI add two products of 255 and 127 in 16 bits, which hold half."""
    x, matrix = np.ones([2, 768], np.float32), np.ones([768, 258], np.float32)
    x[:, ::16], matrix[:, 1] = 0, -1
    found = Product(matrix)(x)
    np.testing.assert_allclose(found, x @ matrix, rtol=1e-6)
    np.testing.assert_array_equal(Product(0 * matrix)(x), 0)
    np.testing.assert_allclose(Product(matrix)(0 * x - 3), np.sum(-3 * matrix, 0) + 0 * found,
                               rtol=1e-6)  # nothing but the offset


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A model with weights so large that texts differ and some of them end."""
    with tf.Graph().as_default():
        model.model(tf.zeros([1, 2], tf.int32), SMALL)
        values = model.initial(tf.trainable_variables(), 3)
    values = {name: value * (1 if name.endswith('/g') else 12) for name, value in values.items()}
    folder = tmp_path_factory.mktemp('snapshot')
    snapshots.write(folder, Snapshot(SMALL, values, VOCABULARY, {}))
    return folder


def test_a_sample_does_not_depend_on_its_neighbours(folder):
    """Bit for bit, the log-probability as well; and it is another one than with float32."""
    seeds, sampling = list(range(len(PROMPTS))), Sampling(temperature=1.0, top_k=0)
    writer = write.Writer(folder, 1, use_int8=True)
    together = writer.samples(PROMPTS, seeds=seeds, sampling=sampling)
    alone = [writer.samples([prompt], seeds=[seed], sampling=sampling)[0]
             for prompt, seed in zip(PROMPTS, seeds)]
    backwards = writer.samples(PROMPTS[::-1], seeds=seeds[::-1], sampling=sampling)
    assert together == alone == backwards[::-1]
    assert len({sample.text for sample in together}) > len(PROMPTS) / 2
    exact = write.Writer(folder, 1).samples(PROMPTS, seeds=seeds, sampling=sampling)
    assert together != exact


def test_held_out_loss_rises_by_less_than_two_thousandths():
    """Of descriptions that the pretrained model has not seen, the output layer in int8 as well."""
    snapshot = snapshots.read(pathlib.Path(__file__).parents[2] / 'pretrained' / 'gpt2')
    texts, rng = [], np.random.RandomState([12345])
    while len(texts) < 48:
        text = data.prompt('') + words.describe(attributes.draw(rng), rng)
        ids = [snapshot.encoder.end] + data.prompt_ids(text, snapshot.encoder)
        texts += [ids[:90]] if len(ids) >= 90 else []
    losses = []
    for weights in (packed, int8):
        with tf.Graph().as_default(), tflib.session(1) as session:
            variables = weights.Variables(snapshot.network)
            loss = model.loss(tf.constant(texts), snapshot.network,
                              compute=model.for_sampling(variables.by_name))
            variables.assign(session, snapshot.weights)
            tflib.assign(session, {variable.op.name: snapshot.weights[variable.op.name]
                                   for variable in tf.trainable_variables()})
            losses.append(session.run(loss))
    assert losses[0] < 0.9  # it is a trained model
    assert losses[1] != losses[0] and losses[1] < losses[0] + 0.002
