"""The transformer of GPT-2 (2019, section 2.3), as functions over tensors.

Scopes and shapes are those of the released checkpoints, down to the leading axis of length 1 on
every `w`. One form serves training, where all tokens of a text come at once, and sampling, where
the keys and values of earlier tokens wait in a cache of fixed size.

Axes: n texts, t tokens at hand, s tokens that can be looked at, h heads, d = n_embd / h.
"""

import numpy as np

from dnnlib.tflib import shape_list, tf


def _variable(name, shape):
    return tf.get_variable(name, shape, tf.float32, initializer=tf.zeros_initializer())


def _norm(x, scope):
    """Layer norm over the last axis, with a learnt gain and offset."""
    with tf.variable_scope(scope):
        width = x.shape.as_list()[-1]
        gain, offset = _variable('g', [width]), _variable('b', [width])
        mean, variance = tf.nn.moments(x, [-1], keep_dims=True)
        return (x - mean) * tf.rsqrt(variance + 1e-5) * gain + offset


def _dense(x, scope, width):
    with tf.variable_scope(scope):
        n, t, inputs = shape_list(x)
        w = _variable('w', [1, inputs, width])
        b = _variable('b', [width])
        flat = tf.reshape(x, [-1, inputs])  # one large product is faster than n small ones
        return tf.reshape(tf.matmul(flat, tf.squeeze(w, 0)) + b, [n, t, width])


def _gelu(x):
    """Gaussian error linear unit (Hendrycks 2016): x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).

    Written with 1/2 (1 + tanh u) = sigmoid(2 u), which saves a third of the passes over memory.
    """
    slope = 2 * np.sqrt(2 / np.pi)
    return x * tf.sigmoid(x * (slope + slope * 0.044715 * x * x))


def _split_heads(x, n_head):
    n, t, width = shape_list(x)
    heads = tf.reshape(x, [n, t, n_head, width // n_head])
    return tf.transpose(heads, [0, 2, 1, 3])  # [n, h, t, d]


def _merge_heads(x):
    n, h, t, d = shape_list(x)
    return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [n, t, h * d])


def _future(position, t, s):
    """float [t, s]: -1e10 where a key comes after its query, else 0; the first of the queries
    stands at `position`."""
    query = tf.range(t)[:, tf.newaxis] + position
    return tf.cast(tf.range(s)[tf.newaxis] > query, tf.float32) * -1e10


def _attention(x, network, cache, position):
    """Causal self-attention, and the keys and values it looked at: [n, 2, h, s, d]."""
    with tf.variable_scope('attn'):
        t = shape_list(x)[1]
        query, key, value = [_split_heads(part, network.n_head) for part in
                             tf.split(_dense(x, 'c_attn', 3 * network.n_embd), 3, axis=2)]
        memory = tf.stack([key, value], axis=1)  # [n, 2, h, t, d]
        if cache is not None:
            before, after = cache[:, :, :, :position], cache[:, :, :, position + t:]
            memory = tf.concat([before, memory, after], axis=3)
            memory.set_shape(cache.shape)
            key, value = tf.unstack(memory, axis=1)  # [n, h, s, d]
        query *= (network.n_embd // network.n_head) ** -0.5
        scores = tf.matmul(query, key, transpose_b=True)  # [n, h, t, s]
        scores += _future(position, t, shape_list(key)[2])
        mixed = _merge_heads(tf.matmul(tf.nn.softmax(scores), value))
        return _dense(mixed, 'c_proj', network.n_embd), memory


def _mlp(x, network):
    with tf.variable_scope('mlp'):
        return _dense(_gelu(_dense(x, 'c_fc', 4 * network.n_embd)), 'c_proj', network.n_embd)


def empty_cache(network, n):
    """The cache before the first token: per layer float32 [n, 2, n_head, n_ctx, head size]."""
    shape = [n, 2, network.n_head, network.n_ctx, network.n_embd // network.n_head]
    return [tf.zeros(shape) for _ in range(network.n_layer)]


def model(tokens, network, *, cache=None, position=0):
    """Scores of the token after each token.

    tokens:   int32 [n, t], of which the first stands at place `position` of its text.
    network:  config.Network.
    cache:    None, or what `empty_cache` or an earlier call returned.
    Returns logits float32 [n, t, n_vocab], and the keys and values of each layer: a new cache, or,
    without one, float32 [n, 2, n_head, t, head size].
    """
    with tf.variable_scope('model', reuse=tf.AUTO_REUSE):
        n, t = shape_list(tokens)
        wte = _variable('wte', [network.n_vocab, network.n_embd])
        wpe = _variable('wpe', [network.n_ctx, network.n_embd])
        x = tf.gather(wte, tokens) + tf.gather(wpe, tf.range(t) + position)  # [n, t, n_embd]
        memories = []
        for i in range(network.n_layer):
            with tf.variable_scope('h%d' % i):
                layer = None if cache is None else cache[i]
                change, memory = _attention(_norm(x, 'ln_1'), network, layer, position)
                x += change
                x += _mlp(_norm(x, 'ln_2'), network)
                memories.append(memory)
        flat = tf.reshape(_norm(x, 'ln_f'), [-1, network.n_embd])
        logits = tf.reshape(tf.matmul(flat, wte, transpose_b=True), [n, t, network.n_vocab])
        return logits, memories


def loss(tokens, network):
    """Mean cross entropy, in nats, of tokens 1.. of int32 [n, t] given those before: a scalar."""
    logits, _ = model(tokens[:, :-1], network)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tokens[:, 1:], logits=logits))


def initial(variables, seed):
    """Fresh weights for variables of this model: dict of name -> float32 array.

    The release draws with standard deviation 0.02 at a width of 768; a narrower model gets that
    much larger ones, so that what it adds up starts at the same size.
    """
    values = {}
    width = next(v.shape.as_list()[1] for v in variables if v.op.name.endswith('wte'))
    for i, variable in enumerate(sorted(variables, key=lambda v: v.op.name)):
        name, shape = variable.op.name, variable.shape.as_list()
        kind = name.split('/')[-1]
        std = {'g': 0, 'b': 0, 'wpe': 0.01}.get(kind, 0.02 * np.sqrt(768 / width))
        noise = np.random.RandomState([seed, i]).standard_normal(shape) * std
        values[name] = (noise + (kind == 'g')).astype(np.float32)
    return values
