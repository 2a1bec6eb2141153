"""The key/value cache of sampling: updated in place, read only as far as it is filled.

The positions of a text are divided into blocks of fixed size, stored one after another, so that the
first blocks are a slice that can be read without a copy. New tokens overwrite single rows. So a
token costs what its own attention costs. Blocks that one text needs and another does not add
exactly zero to the other: texts of different lengths share a batch without a difference in a
single bit.

Axes: b blocks, n texts, h heads, t new tokens, d head size.
"""

import collections

from dnnlib.tflib import shape_list, tf

BLOCK = 128

View = collections.namedtuple('View', 'rows blocks mask')


def bytes_per_position(network):
    """Bytes of the cache for one position of one text."""
    return 4 * 2 * network.n_layer * network.n_embd


def empty(network, n, positions):
    """The cache before the first token: per layer keys and values, float32 [b, n, h, BLOCK, d].

    n: texts. positions: of each text that the cache has to hold; it holds whole blocks. Both int or
    scalar tensor.
    """
    blocks = (positions + BLOCK - 1) // BLOCK
    shape = [blocks, n, network.n_head, BLOCK, network.n_embd // network.n_head]

    def zeros():  # made anew in every run, never a constant: `write` changes it
        buffer = tf.raw_ops.Empty(shape=shape, dtype=tf.float32, init=True)
        buffer.set_shape([size if isinstance(size, int) else None for size in shape])
        return buffer
    return [(zeros(), zeros()) for _ in range(network.n_layer)]


def view(positions, n_head):
    """The View of new tokens: where they are written and which keys they see; same for all layers.

    positions: int32 [n, t], rising by one along t.
    rows:   int32 [n h t], of the cache reshaped to [b n h BLOCK, d].
    blocks: scalar, how many blocks to read.
    mask:   float32 [blocks, n, 1, t, BLOCK], to add to scores: -1e10 where a key comes after its
            query, else 0.
    """
    n = shape_list(positions)[0]
    position = positions[:, tf.newaxis]  # [n, 1, t]
    text = tf.range(n)[:, tf.newaxis, tf.newaxis]
    head = tf.range(n_head)[tf.newaxis, :, tf.newaxis]
    rows = ((position // BLOCK * n + text) * n_head + head) * BLOCK + position % BLOCK
    blocks = tf.reduce_max(positions) // BLOCK + 1
    key = tf.reshape(tf.range(blocks * BLOCK), [blocks, 1, 1, 1, BLOCK])
    mask = tf.cast(key > position[tf.newaxis, ..., tf.newaxis], tf.float32) * -1e10
    return View(tf.reshape(rows, [-1]), blocks, mask)


def write(buffer, new, seen):
    """Keys or values [b, n, h, BLOCK, d] with `new` [n, h, t, d] in the rows of the View `seen`.

    The result is the same memory. So `buffer` has to come from `empty` and must not be used
    afterwards; whoever still reads earlier positions finds them unchanged.
    """
    size = buffer.shape.as_list()[-1]
    rows = tf.reshape(buffer, [-1, size])
    # tf.tensor_scatter_nd_update is in place in TensorFlow 1.15 only; 2.21 copies all of it.
    rows = tf.raw_ops.InplaceUpdate(x=rows, i=seen.rows, v=tf.reshape(new, [-1, size]))
    rows = tf.reshape(rows, tf.shape(buffer))
    rows.set_shape(buffer.shape)
    return rows


def attend(query, keys, values, seen):
    """Causal attention of the scaled `query` [n, h, t, d] to the cache -> [n, h, t, d].

    Each block is a product of its own and the blocks are summed last, so that a result does not
    depend on how many masked blocks follow.
    """
    keys, values = keys[:seen.blocks], values[:seen.blocks]
    scores = tf.matmul(query[tf.newaxis], keys, transpose_b=True) + seen.mask
    highest = tf.reduce_max(tf.reduce_max(scores, axis=4, keepdims=True), axis=0)
    weights = tf.exp(scores - highest)  # [blocks, n, h, t, BLOCK]
    total = tf.reduce_sum(tf.reduce_sum(weights, axis=4, keepdims=True), axis=0)
    return tf.reduce_sum(tf.matmul(weights, values), axis=0) / total
