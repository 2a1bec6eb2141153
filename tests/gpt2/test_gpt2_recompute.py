import numpy as np
import pytest

from dnnlib import tflib
from dnnlib.tflib import tf
from gpt2 import model
from gpt2.config import Network
from gpt2.model import gradients

SMALL = Network(n_vocab=270, n_ctx=12, n_embd=16, n_head=4, n_layer=2)
TOKENS = np.random.RandomState([4]).randint(270, size=[2, 12]).astype(np.int32)


@pytest.fixture
def graph():
    """An empty graph and a session on it."""
    with tf.Graph().as_default(), tflib.session(1) as sess:
        yield sess


def both_ways(rate=0.0, names='model/'):
    """Loss and gradients, once as usual and once with layers computed again, and the seed."""
    seed = tf.placeholder_with_default(tf.zeros([2], tf.int32), [2])
    compute = model.Compute(model.Dropout(rate, seed), False)
    tokens = tf.placeholder_with_default(TOKENS, [None, None])  # as in a training
    model.loss(tokens, SMALL)
    variables = [v for v in tf.trainable_variables() if v.op.name.startswith(names)]
    ways = [model.loss_and_gradients(tokens, SMALL, None, variables, compute=compute,
                                     recompute=recompute) for recompute in (False, True)]
    return ways, variables, seed


def start(sess):
    rng = np.random.RandomState([3])
    sess.run(tf.global_variables_initializer())
    tflib.assign(sess, {
        name: value + rng.standard_normal(value.shape).astype(np.float32) * 0.1
        for name, value in model.initial(tf.trainable_variables(), 0).items()})


def test_gradients_are_the_plain_ones_with_dropout_too(graph):
    ways, variables, seed = both_ways(rate=0.3)
    start(graph)
    for step in range(2):
        (plain, slopes), (again, same) = graph.run(ways, {seed: model.seed_of(0, step, 0)})
        assert plain == pytest.approx(again, rel=1e-6)
        for variable, one, other in zip(variables, slopes, same):
            assert np.abs(one).max() > 0, variable.op.name
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5 * np.abs(one).max(),
                                       err_msg=variable.op.name)


def test_some_of_the_variables_are_enough(graph):
    ways, _, _ = both_ways(names='model/h1/')
    start(graph)
    (_, slopes), (_, same) = graph.run(ways)
    assert len(slopes) == 12
    for one, other in zip(slopes, same):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5 * np.abs(one).max())


def test_a_chain_by_hand(graph):
    """d/da and d/db of (a (a x + b) + b)^2, for x = 2 - b."""
    a, b = [tf.Variable(value) for value in (3.0, 5.0)]
    unused = tf.Variable(0.0)
    scalar, (for_a, for_b, for_none) = gradients(
        2 - b, [lambda x: a * x + b, lambda x: a * x + b], lambda x: x * x, [a, b, unused])
    assert for_none is None
    graph.run(tf.global_variables_initializer())
    last = 3 * (3 * -3 + 5) + 5
    assert graph.run([scalar, for_a, for_b]) == [
        last ** 2, 2 * last * ((3 * -3 + 5) + 3 * -3), 2 * last * (1 + 3 * (1 - 3))]


def executed(sess, fetched, kind):
    """How many operations of a kind TensorFlow runs, after all that it simplifies before."""
    about = tf.RunMetadata()
    sess.run(fetched, options=tf.RunOptions(output_partition_graphs=True), run_metadata=about)
    return sum(kind in node.op for part in about.partition_graphs for node in part.node)


def test_layers_are_really_computed_again_and_not_united_with_the_first_time(graph):
    ways, _, _ = both_ways(rate=0.3)
    start(graph)
    softmaxes = [executed(graph, way, 'Softmax') for way in ways]
    assert softmaxes[1] - softmaxes[0] == SMALL.n_layer
    masks = [executed(graph, way, 'StatelessRandomUniform') for way in ways]
    assert masks[0] == 1 + 3 * SMALL.n_layer and masks[1] == 1 + 2 * 3 * SMALL.n_layer


def test_no_more_than_one_layer_is_held(graph):
    """The most memory that is in use at a time, from the allocator's own records."""
    ways, _, _ = both_ways()
    start(graph)
    tokens = next(op for op in tf.get_default_graph().get_operations()
                  if op.type == 'PlaceholderWithDefault' and op.outputs[0].shape.ndims == 2)
    big = {tokens.outputs[0]: np.tile(TOKENS, [200, 1])}
    peaks = []
    for way in ways:
        about = tf.RunMetadata()
        graph.run(way, big, tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), about)
        peaks.append(peak(about))
    assert peaks[1] < 0.8 * peaks[0]


def peak(about):
    """Bytes in use at the worst moment, by the allocations and deallocations in RunMetadata."""
    changes = [(record.alloc_micros, record.alloc_bytes) for part in about.step_stats.dev_stats
               for node in part.node_stats for memory in node.memory
               for record in memory.allocation_records]
    return int(np.max(np.cumsum([size for _, size in sorted(changes)])))
