import pathlib

import numpy as np
import oracle_gpt2 as oracle
import pytest

from dnnlib import tflib
from dnnlib.tflib import tf
from gpt2 import cache, model, snapshots
from gpt2.config import Network

SMALL = Network(n_vocab=270, n_ctx=12, n_embd=16, n_head=4, n_layer=2)
SIZES = {'heads': SMALL.n_head, 'layers': SMALL.n_layer}
RECORDED = pathlib.Path(__file__).parents[3] / 'shared' / 'parity' / 'gpt2'


@pytest.fixture
def graph():
    """An empty graph and a session on it."""
    with tf.Graph().as_default(), tflib.session(1) as sess:
        yield sess


def start(sess):
    """Weights for the variables of the graph, none of them 0 or 1, so that every part counts."""
    rng = np.random.RandomState([3])
    values = {name: value + rng.standard_normal(value.shape).astype(np.float32) * 0.1
              for name, value in model.initial(tf.trainable_variables(), 0).items()}
    sess.run(tf.global_variables_initializer())
    tflib.assign(sess, values)
    return {name[len('model/'):]: value for name, value in values.items()}


def texts(n=3, t=12):
    return np.random.RandomState([4]).randint(SMALL.n_vocab, size=[n, t]).astype(np.int32)


def test_logits_and_loss_are_the_oracles(graph):
    tokens = texts()
    logits, memories = model.model(tf.constant(tokens), SMALL)
    loss = model.loss(tf.constant(tokens), SMALL)
    values = start(graph)
    ours, memories, loss = graph.run([logits, memories, loss])
    theirs = np.stack([oracle.logits(values, row, **SIZES) for row in tokens])
    np.testing.assert_allclose(ours, theirs, atol=2e-4)
    np.testing.assert_allclose(loss, oracle.loss(values, tokens, **SIZES), atol=1e-5)
    assert [memory.shape for memory in memories] == [(3, 2, 4, 12, 4)] * SMALL.n_layer


def test_weights_choose_what_the_loss_counts(graph):
    """Two texts of other lengths in one batch, padded, and the same two each by itself."""
    tokens = texts(n=2)
    counted = np.ones([2, 11], np.float32)
    counted[1, 6:] = 0
    alone = [model.loss(tf.constant(part), SMALL) for part in (tokens[:1], tokens[1:, :7])]
    both = model.loss(tf.constant(tokens), SMALL, tf.constant(counted / counted.mean()))
    start(graph)
    (first, second), both = graph.run([alone, both])
    np.testing.assert_allclose(both, (11 * first + 6 * second) / 17, rtol=1e-6)


def test_gradient_is_the_oracles_slope(graph):
    tokens = texts(n=2)
    loss = model.loss(tf.constant(tokens), SMALL)
    variables = tf.trainable_variables()
    values = start(graph)
    gradients = graph.run([tf.convert_to_tensor(g) for g in tf.gradients(loss, variables)])
    rng, step = np.random.RandomState([5]), 1e-5
    for variable, gradient in zip(variables, gradients):
        name = variable.op.name[len('model/'):]
        way = rng.standard_normal(gradient.shape)
        up, down = [oracle.loss(dict(values, **{name: values[name] + sign * step * way}), tokens,
                                **SIZES) for sign in (1, -1)]
        scale = np.abs(gradient).max() * np.sqrt(gradient.size)
        assert abs((up - down) / (2 * step) - np.sum(gradient * way)) < 1e-4 * scale + 1e-7, name


@pytest.mark.skipif(tf.__version__.startswith('1.'), reason='needs bfloat16, so TensorFlow 2')
def test_products_in_16_bits_are_close_and_all_else_stays_in_32(graph):
    tokens = tf.constant(texts())
    model.loss(tokens, SMALL)
    variables = tf.trainable_variables()
    ways = [model.loss_and_gradients(tokens, SMALL, None, variables, recompute=recompute,
                                     compute=model.PLAIN._replace(bfloat16=bfloat16))
            for bfloat16, recompute in ((False, False), (True, False), (True, True))]
    start(graph)
    (exact, slopes), *others = graph.run(ways)
    for coarse, others_slopes in others:
        assert coarse != exact and coarse == pytest.approx(exact, rel=0.01)
        for variable, slope, other in zip(variables, slopes, others_slopes):
            assert variable.dtype.base_dtype == tf.float32 and other.dtype == np.float32
            assert np.linalg.norm(slope - other) < 0.05 * np.linalg.norm(slope), variable.op.name
    products = [op for op in tf.get_default_graph().get_operations() if 'MatMul' in op.type]
    for op in products:
        inside = '/h0/' in op.name or '/h1/' in op.name
        assert inside or op.outputs[0].dtype == tf.float32, op.name
    forward = 6 * SMALL.n_layer  # four dense ones and two of the attention; each has two slopes
    coarse = sum(op.outputs[0].dtype == tf.bfloat16 for op in products)
    assert coarse == 3 * forward + 4 * forward  # on the plain way, and where layers come twice


@pytest.mark.parametrize('cuts', [[0, 4, 9], range(10)])
def test_cache_changes_nothing(graph, cuts):
    """All at once, in two parts, and one by one, with more room in the cache than is used."""
    tokens, places = tf.constant(texts(t=9)), tf.tile([tf.range(9)], [3, 1])
    whole, _ = model.model(tokens, SMALL)
    memories, parts = cache.empty(SMALL, 3), []
    for first, last in zip(cuts, cuts[1:]):
        logits, memories = model.model(tokens[:, first:last], SMALL, cache=memories,
                                       places=places[:, first:last])
        parts.append(logits)
    joined = tf.concat(parts, axis=1)
    start(graph)
    np.testing.assert_allclose(*graph.run([joined, whole]), atol=2e-5)


def test_texts_may_stand_at_different_places(graph):
    tokens = texts(t=9)
    _, memories = model.model(tf.constant(tokens[:, :8]), SMALL, cache=cache.empty(SMALL, 3),
                              places=tf.tile([tf.range(8)], [3, 1]))
    ends = np.array([2, 5, 8], np.int32)  # what lies behind them in the cache is not seen
    ours, _ = model.model(tf.constant(tokens[range(3), ends][:, np.newaxis]), SMALL,
                          cache=memories, places=tf.constant(ends[:, np.newaxis]))
    values = start(graph)
    ours = graph.run(ours)
    for text, last in enumerate(ends):
        theirs = oracle.logits(values, tokens[text, :last + 1], **SIZES)[-1]
        np.testing.assert_allclose(ours[text, 0], theirs, atol=2e-4)


def test_no_place_sees_the_future_or_another_text(graph):
    tokens = tf.placeholder(tf.int32, [None, None])
    logits, _ = model.model(tokens, SMALL)
    start(graph)
    first = texts()
    other = first.copy()
    other[:, 7:] = (other[:, 7:] + 1) % SMALL.n_vocab
    other[0] = other[1]
    a, b = graph.run(logits, {tokens: first}), graph.run(logits, {tokens: other})
    np.testing.assert_array_equal(a[1:, :7], b[1:, :7])
    assert np.all(np.abs(a[1:, 7:] - b[1:, 7:]).max(axis=-1) > 0)


def test_released_size_has_the_released_names_and_number_of_parameters(graph):
    model.loss(tf.zeros([1, 3], tf.int32), Network())
    shapes = {v.op.name: v.shape.as_list() for v in tf.trainable_variables()}
    assert tflib.parameters(tf.trainable_variables()) == 124439808
    assert len(shapes) == 4 + 12 * 12
    assert shapes['model/h11/attn/c_attn/w'] == [1, 768, 2304]
    assert shapes['model/h0/mlp/c_proj/w'] == [1, 3072, 768]
    assert shapes['model/ln_f/g'] == [768]


def test_initial_weights_repeat_and_have_the_stated_spread(graph):
    model.loss(tf.zeros([1, 3], tf.int32), SMALL)
    first, again, other = [model.initial(tf.trainable_variables(), seed) for seed in (1, 1, 2)]
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first['model/wte'], other['model/wte'])
    assert abs(first['model/wpe'].std() - 0.01) < 0.002
    for name, value in first.items():
        if name.endswith('/g') or name.endswith('/b'):
            assert np.all(value == (1 if name.endswith('/g') else 0)), name


def test_recorded_logits_loss_and_memories(graph, recorded):
    network, values = snapshots.read(RECORDED / 'toy_model')
    tokens = tf.constant(recorded['tokens'].astype(np.int32))
    logits, memories = model.model(tokens, network)
    loss = model.loss(tokens, network)
    places = tf.tile([tf.range(40)], [3, 1])
    _, head = model.model(tokens[:, :25], network, cache=cache.empty(network, 3),
                          places=places[:, :25])
    tail, _ = model.model(tokens[:, 25:], network, cache=head, places=places[:, 25:])
    snapshots.assign(graph, values, 'toy')
    logits, memories, loss, tail = graph.run([logits, tf.stack(memories, 1), loss, tail])
    np.testing.assert_allclose(logits, recorded['logits'], atol=2e-4)
    np.testing.assert_allclose(memories, recorded['present'], atol=2e-4)
    np.testing.assert_allclose(loss, recorded['loss'], atol=1e-5)
    np.testing.assert_allclose(tail, recorded['logits_tail_with_past'], atol=2e-4)


def test_recorded_gradients(graph, recorded):
    network, values = snapshots.read(RECORDED / 'toy_model')
    loss = model.loss(tf.constant(recorded['tokens'].astype(np.int32)), network)
    variables = tf.trainable_variables()
    gradients = [tf.convert_to_tensor(g) for g in tf.gradients(loss, variables)]
    snapshots.assign(graph, values, 'toy')
    for variable, gradient in zip(variables, graph.run(gradients)):
        wanted = recorded['grad/' + variable.op.name]
        assert np.abs(gradient - wanted).max() < 1e-4 * np.abs(wanted).max(), variable.op.name
