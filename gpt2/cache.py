"""The keys and values of earlier tokens: written in place, read only as far as there are any.

A text's places lie in blocks of fixed size, the blocks one behind the other, so the first blocks
are a part of the memory that can be looked at where it is. New tokens replace single rows of it.
Neither copies the rest: a token costs what its own attention costs. Blocks that one text needs and
another does not are worth exactly nothing to the other, so texts of different lengths go together
without a difference in a single bit.

Axes: b blocks, n texts, h heads, t new tokens, d head size.
"""

import collections

from dnnlib.tflib import shape_list, tf

BLOCK = 128

View = collections.namedtuple('View', 'rows blocks future')


def capacity(network):
    """Places of a text that the cache holds: n_ctx, rounded up to whole blocks."""
    return -(-network.n_ctx // BLOCK) * BLOCK


def empty(network, n):
    """The cache before the first token: per layer keys and values, float32 [b, n, h, BLOCK, d]."""
    shape = [capacity(network) // BLOCK, n, network.n_head, BLOCK, network.n_embd // network.n_head]

    def zeros():  # made anew in every run, never a constant: `write` changes them
        memory = tf.raw_ops.Empty(shape=shape, dtype=tf.float32, init=True)
        memory.set_shape(shape)
        return memory
    return [(zeros(), zeros()) for _ in range(network.n_layer)]


def view(places, n_head):
    """Where new tokens go and what they see: the same in all layers.

    places: int32 [n, t], rising by one along t.
    Returns rows int32 [n h t] of the cache seen as [b n h BLOCK, d]; how many blocks to read;
    and float32 [blocks, n, 1, t, BLOCK], -1e10 where a key comes after its query, else 0.
    """
    n = shape_list(places)[0]
    place = places[:, tf.newaxis]  # [n, 1, t]
    text = tf.range(n)[:, tf.newaxis, tf.newaxis]
    head = tf.range(n_head)[tf.newaxis, :, tf.newaxis]
    rows = ((place // BLOCK * n + text) * n_head + head) * BLOCK + place % BLOCK
    blocks = tf.reduce_max(places) // BLOCK + 1
    key = tf.reshape(tf.range(blocks * BLOCK), [blocks, 1, 1, 1, BLOCK])
    future = tf.cast(key > place[tf.newaxis, ..., tf.newaxis], tf.float32) * -1e10
    return View(tf.reshape(rows, [-1]), blocks, future)


def write(memory, new, seen):
    """`memory` [b, n, h, BLOCK, d] with `new` [n, h, t, d] in the rows of the View.

    The result is the same piece of memory. So `memory` comes from `empty`, and is not to be used
    any more; who still reads earlier places finds them as they were.
    """
    size = memory.shape.as_list()[-1]
    rows = tf.reshape(memory, [-1, size])
    # Scattering into a tensor is in place in TensorFlow 1.15 only; 2.21 copies all of it.
    rows = tf.raw_ops.InplaceUpdate(x=rows, i=seen.rows, v=tf.reshape(new, [-1, size]))
    return tf.reshape(rows, memory.shape)


def attend(query, keys, values, seen):
    """Causal attention of `query` [n, h, t, d], scaled, to the cache: [n, h, t, d].

    Every block is a product of its own and the blocks are added up last, so that a number does not
    depend on how many blocks follow, all of weight 0.
    """
    keys, values = keys[:seen.blocks], values[:seen.blocks]
    scores = tf.matmul(query[tf.newaxis], keys, transpose_b=True) + seen.future
    best = tf.reduce_max(tf.reduce_max(scores, axis=4, keepdims=True), axis=0)
    likely = tf.exp(scores - best)  # [blocks, n, h, t, BLOCK]
    total = tf.reduce_sum(tf.reduce_sum(likely, axis=4, keepdims=True), axis=0)
    return tf.reduce_sum(tf.matmul(likely, values), axis=0) / total
