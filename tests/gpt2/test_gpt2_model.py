import numpy as np
import oracle_gpt2 as oracle
import pytest

from dnnlib import tflib
from dnnlib.tflib import tf
from gpt2 import cache, model
from gpt2.config import Network

SMALL = Network(n_vocab=270, n_ctx=12, n_embd=16, n_head=4, n_layer=2)
SIZES = {'heads': SMALL.n_head, 'layers': SMALL.n_layer}
TOKENS = np.random.RandomState([4]).randint(270, size=[2, 12]).astype(np.int32)


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
    logits, present = model.model(tf.constant(tokens), SMALL)
    loss = model.loss(tf.constant(tokens), SMALL)
    values = start(graph)
    ours, present, loss = graph.run([logits, present, loss])
    theirs = np.stack([oracle.logits(values, row, **SIZES) for row in tokens])
    np.testing.assert_allclose(ours, theirs, atol=2e-4)
    np.testing.assert_allclose(loss, oracle.loss(values, tokens, **SIZES), atol=1e-5)
    assert [kv.shape for kv in present] == [(3, 2, 4, 12, 4)] * SMALL.n_layer


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
    tokens, positions = tf.constant(texts(t=9)), tf.tile([tf.range(9)], [3, 1])
    whole, _ = model.model(tokens, SMALL)
    present, parts = cache.empty(SMALL, 3, 9), []
    for first, last in zip(cuts, cuts[1:]):
        logits, present = model.model(tokens[:, first:last], SMALL, cache=present,
                                       positions=positions[:, first:last])
        parts.append(logits)
    joined = tf.concat(parts, axis=1)
    start(graph)
    np.testing.assert_allclose(*graph.run([joined, whole]), atol=2e-5)


def test_texts_may_stand_at_different_places(graph):
    tokens = texts(t=9)
    _, present = model.model(tf.constant(tokens[:, :8]), SMALL, cache=cache.empty(SMALL, 3, 9),
                              positions=tf.tile([tf.range(8)], [3, 1]))
    ends = np.array([2, 5, 8], np.int32)  # what lies behind them in the cache is not seen
    ours, _ = model.model(tf.constant(tokens[range(3), ends][:, np.newaxis]), SMALL,
                          cache=present, positions=tf.constant(ends[:, np.newaxis]))
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
        if name.endswith(('/g', '/b')):
            assert np.all(value == (1 if name.endswith('/g') else 0)), name


def test_dropout_keeps_the_mean(graph):
    seed = tf.placeholder(tf.int32, [2])
    dropped = model.Dropout(0.25, seed)(tf.ones([300, 400]), 'x')
    values = graph.run(dropped, {seed: model.dropout_seed(0, 0, 0)})
    assert set(np.unique(values)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((values == 0).mean() - 0.25) < 0.005  # 4 standard deviations
    assert abs((values[:, 1:] * values[:, :-1] == 0).mean() - (1 - 0.75 ** 2)) < 0.007


def test_dropout_masks_depend_on_seed_step_part_scope_and_name_alone(graph):
    seed = tf.placeholder(tf.int32, [2])
    drop = model.Dropout(0.5, seed)
    with tf.variable_scope('h0'):
        one, same, other = [drop(tf.ones([1000]), name) for name in ('a', 'a', 'b')]
    with tf.variable_scope('h1'):
        elsewhere = drop(tf.ones([1000]), 'a')
    keys = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    masks = [graph.run(one, {seed: model.dropout_seed(*key)}) for key in keys]
    masks += graph.run([other, elsewhere], {seed: model.dropout_seed(*keys[0])})
    for i, mask in enumerate(masks):
        for before in masks[:i]:
            assert 0.4 < np.mean(mask == before) < 0.6
    again, twice = graph.run([one, same], {seed: model.dropout_seed(*keys[0])})
    assert np.array_equal(again, masks[0]) and np.array_equal(twice, masks[0])


def test_no_dropout_changes_nothing(graph):
    x = tf.ones([3])
    assert model.Dropout(0.0, tf.zeros([2], tf.int32))(x, 'x') is x


def test_embedding_attention_weights_and_residual_branches_have_dropout(graph):
    """Dropout of each of them changes the loss; there is no other."""
    sites = []

    def note(x, name):
        sites.append((tf.get_variable_scope().name, name))
        return x
    tokens = tf.constant(np.random.RandomState([1]).randint(270, size=[2, 12]), tf.int32)
    model.loss(tokens, SMALL, compute=model.Compute(note, False))
    assert sites == [('model', 'embedded')] + [
        site for i in range(2) for site in [
            (f'model/h{i}/attn', 'shares'), (f'model/h{i}/attn', 'change'),
            (f'model/h{i}/mlp', 'change')]]
    losses = [model.loss(tokens, SMALL, compute=model.Compute(
        lambda x, name, wanted=site: x * 0.5 if (
            tf.get_variable_scope().name, name) == wanted else x, False)) for site in sites]
    plain = model.loss(tokens, SMALL)
    graph.run(tf.global_variables_initializer())
    rng = np.random.RandomState([3])
    tflib.assign(graph, {
        name: value + rng.standard_normal(value.shape).astype(np.float32) * 0.1
        for name, value in model.initial(tf.trainable_variables(), 0).items()})
    losses, plain = graph.run([losses, plain])
    assert len(set(losses)) == len(losses) and plain not in losses


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


def test_gradients_are_the_plain_ones_with_dropout_too(graph):
    ways, variables, seed = both_ways(rate=0.3)
    start(graph)
    for step in range(2):
        (plain, slopes), (again, same) = graph.run(ways, {seed: model.dropout_seed(0, step, 0)})
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
    scalar, (for_a, for_b, for_none) = model.checkpointed_gradients(
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


@pytest.mark.slow
def test_layers_are_really_computed_again_and_not_united_with_the_first_time(graph):
    ways, _, _ = both_ways(rate=0.3)
    start(graph)
    softmaxes = [executed(graph, way, 'Softmax') for way in ways]
    assert softmaxes[1] - softmaxes[0] == SMALL.n_layer
    masks = [executed(graph, way, 'StatelessRandomUniform') for way in ways]
    assert masks[0] == 1 + 3 * SMALL.n_layer and masks[1] == 1 + 2 * 3 * SMALL.n_layer


@pytest.mark.slow
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
