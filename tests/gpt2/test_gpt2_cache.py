import numpy as np
import oracle_gpt2 as oracle
import pytest

from dnnlib import tflib
from dnnlib.tflib import tf
from gpt2 import cache
from gpt2.config import Network

NETWORK = Network(n_vocab=270, n_ctx=300, n_embd=16, n_head=2, n_layer=1)  # three blocks
N, H, D = 3, 2, 8


@pytest.fixture
def graph():
    with tf.Graph().as_default(), tflib.session(1) as sess:
        yield sess


def noise(*shape, seed=0):
    return np.random.RandomState([seed]).standard_normal(shape).astype(np.float32)


def filled(values):
    """Values [n, h, s, d] in the layout of the cache: [b, n, h, BLOCK, d]."""
    blocks = values.reshape(values.shape[:2] + (-1, cache.BLOCK, D))
    return blocks.transpose(2, 0, 1, 3, 4)


@pytest.mark.parametrize('positions, blocks', [(1, 1), (128, 1), (129, 2), (300, 3)])
def test_the_cache_is_whole_blocks_for_every_position(positions, blocks):
    keys, values = cache.empty(NETWORK, N, positions)[0]
    assert keys.shape.as_list() == values.shape.as_list() == [blocks, N, H, 128, D]
    assert cache.bytes_per_position(NETWORK) == 4 * (H * D + H * D)


@pytest.mark.parametrize('t', [1, 4])
def test_new_rows_stand_at_each_texts_own_positions(graph, t):
    first = np.array([0, 126, 380])
    positions = first[:, np.newaxis] + np.arange(t)
    before, new = noise(N, H, 384, D), noise(N, H, t, D, seed=1)
    everywhere = cache.view(tf.tile([tf.range(384)], [N, 1]), H)
    buffer = cache.write(cache.empty(NETWORK, N, 300)[0][0], tf.constant(before), everywhere)
    buffer = cache.write(buffer, tf.constant(new), cache.view(tf.constant(positions, tf.int32), H))
    after = graph.run(buffer)
    for text in range(N):
        before[text][:, positions[text]] = new[text]
    np.testing.assert_array_equal(after, filled(before))


@pytest.mark.parametrize('t', [1, 3])
def test_attention_is_the_oracles_to_what_each_text_has_so_far(graph, t):
    first = np.array([0, 126, 290])
    query, keys, values = noise(N, H, t, D), noise(N, H, 384, D, seed=1), noise(N, H, 384, D,
                                                                               seed=2)
    positions = tf.constant(first[:, np.newaxis] + np.arange(t), tf.int32)
    ours = graph.run(cache.attend(tf.constant(query), tf.constant(filled(keys)),
                                  tf.constant(filled(values)), cache.view(positions, H)))
    for text, head in np.ndindex(N, H):
        for i in range(t):
            s = first[text] + i + 1
            scores = keys[text, head, :s] @ query[text, head, i].astype(np.float64)
            wanted = oracle.softmax(scores) @ values[text, head, :s]
            np.testing.assert_allclose(ours[text, head, i], wanted, atol=1e-5)


def test_blocks_that_only_a_neighbour_needs_change_no_bit(graph):
    query, keys, values = noise(N, H, 1, D), noise(N, H, 384, D, seed=1), noise(N, H, 384, D,
                                                                               seed=2)
    positions = tf.placeholder(tf.int32, [N, 1])
    attended = cache.attend(tf.constant(query), tf.constant(filled(keys)),
                            tf.constant(filled(values)), cache.view(positions, H))
    short, long = [graph.run(attended, {positions: [[5], [127], [last]]}) for last in (9, 383)]
    np.testing.assert_array_equal(short[:2], long[:2])


def test_a_loop_neither_copies_the_buffer_nor_keeps_it_for_the_next_run(graph):
    buffer, _ = cache.empty(NETWORK, N, 300)[0]
    steps, new = tf.placeholder(tf.int32, []), tf.constant(noise(N, H, 1, D))

    def step(place, buffer):
        seen = cache.view(tf.fill([N, 1], place), H)
        buffer = cache.write(buffer, new, seen)
        with tf.control_dependencies([cache.attend(new, buffer, buffer, seen)]):
            return place + 1, buffer
    _, buffer = tf.while_loop(lambda place, _: place < steps, step, [tf.constant(0), buffer],
                              parallel_iterations=1, back_prop=False)
    written = tf.math.count_nonzero(buffer)
    stats = tf.RunMetadata()
    assert graph.run(written, {steps: 300}, run_metadata=stats, options=tf.RunOptions(
        trace_level=tf.RunOptions.FULL_TRACE)) == 300 * N * H * D
    size = 4 * N * H * 384 * D
    large = {node.node_name for device in stats.step_stats.dev_stats for node in device.node_stats
             for memory in node.memory if memory.total_bytes >= size}
    assert 'Empty' in large and not any(name.startswith('while') for name in large)
    assert graph.run(written, {steps: 2}) == 2 * N * H * D
