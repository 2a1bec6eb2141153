import numpy as np
import pytest

from dnnlib import tflib
from dnnlib.tflib import tf
from gpt2 import model
from gpt2.config import Network

SMALL = Network(n_vocab=270, n_ctx=12, n_embd=16, n_head=4, n_layer=2)


@pytest.fixture
def graph():
    """An empty graph and a session on it."""
    with tf.Graph().as_default(), tflib.session(1) as sess:
        yield sess


def test_a_share_is_left_out_and_the_mean_stays(graph):
    seed = tf.placeholder(tf.int32, [2])
    dropped = model.Dropout(0.25, seed)(tf.ones([300, 400]), 'x')
    values = graph.run(dropped, {seed: model.seed_of(0, 0, 0)})
    assert set(np.unique(values)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((values == 0).mean() - 0.25) < 0.005  # 4 standard deviations
    assert abs((values[:, 1:] * values[:, :-1] == 0).mean() - (1 - 0.75 ** 2)) < 0.007


def test_masks_depend_on_seed_step_part_and_place_and_on_nothing_else(graph):
    seed = tf.placeholder(tf.int32, [2])
    drop = model.Dropout(0.5, seed)
    with tf.variable_scope('h0'):
        one, same, other = [drop(tf.ones([1000]), name) for name in ('a', 'a', 'b')]
    with tf.variable_scope('h1'):
        elsewhere = drop(tf.ones([1000]), 'a')
    keys = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    masks = [graph.run(one, {seed: model.seed_of(*key)}) for key in keys]
    masks += graph.run([other, elsewhere], {seed: model.seed_of(*keys[0])})
    for i, mask in enumerate(masks):
        for before in masks[:i]:
            assert 0.4 < np.mean(mask == before) < 0.6
    again, twice = graph.run([one, same], {seed: model.seed_of(*keys[0])})
    assert np.array_equal(again, masks[0]) and np.array_equal(twice, masks[0])


def test_none_is_nothing_at_all(graph):
    x = tf.ones([3])
    assert model.Dropout(0.0, tf.zeros([2], tf.int32))(x, 'x') is x


def test_the_embedding_the_attention_and_what_layers_add_are_dropped(graph):
    """The named places, each by itself, change the loss; there are no others."""
    places = []

    def note(x, name):
        places.append((tf.get_variable_scope().name, name))
        return x
    tokens = tf.constant(np.random.RandomState([1]).randint(270, size=[2, 12]), tf.int32)
    model.loss(tokens, SMALL, compute=model.Compute(note, False))
    assert places == [('model', 'embedded')] + [
        place for i in range(2) for place in [
            ('model/h%d/attn' % i, 'shares'), ('model/h%d/attn' % i, 'change'),
            ('model/h%d/mlp' % i, 'change')]]
    losses = [model.loss(tokens, SMALL, compute=model.Compute(
        lambda x, name, wanted=place: x * 0.5 if (
            tf.get_variable_scope().name, name) == wanted else x, False)) for place in places]
    plain = model.loss(tokens, SMALL)
    graph.run(tf.global_variables_initializer())
    rng = np.random.RandomState([3])
    tflib.assign(graph, {
        name: value + rng.standard_normal(value.shape).astype(np.float32) * 0.1
        for name, value in model.initial(tf.trainable_variables(), 0).items()})
    losses, plain = graph.run([losses, plain])
    assert len(set(losses)) == len(losses) and plain not in losses
