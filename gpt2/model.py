"""The transformer of GPT-2 (2019, section 2.3), as functions over tensors.

Scopes and shapes are those of the released checkpoints, down to the leading axis of length 1 on
every `w`. One form serves training, where all tokens of a text come at once, and sampling, where
the keys and values of earlier tokens wait in a cache.

Axes: n texts, t tokens at hand, h heads, d = n_embd / h.
"""

import collections
import zlib

import numpy as np

from dnnlib.tflib import shape_list, tf
from gpt2.cache import attend, view, write


def seed_of(seed, step, part):
    """int32 [2]: what decides the masks of one part of one update; all arguments are ints."""
    numbers = np.random.RandomState([seed, step, part, 1])  # the windows' are those of [seed, step]
    return numbers.randint(2 ** 31 - 1, size=2).astype(np.int32)


class Dropout:
    """Sets a share of numbers to 0 and makes the others so much larger that the mean stays.

    rate: the share, in [0, 1); at 0 nothing is touched.
    seed: int32 [2] tensor, see `seed_of`.
    """

    def __init__(self, rate, seed):
        assert 0 <= rate < 1, rate
        self._rate, self._seed = rate, seed

    def __call__(self, x, name):
        """x float32, with dropout; `name` tells apart the places within one variable scope."""
        if self._rate == 0:
            return x
        place = zlib.crc32(f'{tf.get_variable_scope().name}/{name}'.encode()) >> 1
        with tf.control_dependencies([x]):  # so a second x has a second mask: none is kept for it
            seed = tf.bitwise.bitwise_xor(self._seed, tf.constant([place, 0], tf.int32))
            kept = tf.random.stateless_uniform(tf.shape(x), seed) >= self._rate
        return x * (tf.cast(kept, tf.float32) / (1 - self._rate))


# What a training may do otherwise: drop, a `dropout.Dropout`; bfloat16, whether the products inside
# of the layers are made of 16-bit numbers.
Compute = collections.namedtuple('Compute', 'drop bfloat16')


def _keep_all(x, name):
    return x


PLAIN = Compute(_keep_all, False)


def _variable(name, shape):
    return tf.get_variable(name, shape, tf.float32, initializer=tf.zeros_initializer())


def _norm(x, scope):
    """Layer norm over the last axis, with a learnt gain and offset."""
    with tf.variable_scope(scope):
        width = x.shape.as_list()[-1]
        gain, offset = _variable('g', [width]), _variable('b', [width])
        mean, variance = tf.nn.moments(x, [-1], keep_dims=True)
        return (x - mean) * tf.rsqrt(variance + 1e-5) * gain + offset


def _product(a, b, compute, **options):
    """The product of two matrices or stacks of them, float32 whatever it is computed in."""
    if not compute.bfloat16:
        return tf.matmul(a, b, **options)
    product = tf.matmul(tf.cast(a, tf.bfloat16), tf.cast(b, tf.bfloat16), **options)
    return tf.cast(product, tf.float32)


def _dense(x, scope, width, compute):
    with tf.variable_scope(scope):
        n, t, inputs = shape_list(x)
        w = _variable('w', [1, inputs, width])
        b = _variable('b', [width])
        flat = tf.reshape(x, [-1, inputs])  # one large product is faster than n small ones
        return tf.reshape(_product(flat, tf.squeeze(w, 0), compute) + b, [n, t, width])


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


def _future(t):
    """float32 [t, t]: -1e10 where a key comes after its query, else 0."""
    place = tf.range(t)
    return tf.cast(place[tf.newaxis] > place[:, tf.newaxis], tf.float32) * -1e10


def _attention(x, network, memory, seen, compute):
    """Causal self-attention, and its keys and values: those of x, or the cache with them in it."""
    with tf.variable_scope('attn'):
        query, key, value = [_split_heads(part, network.n_head) for part in tf.split(
            _dense(x, 'c_attn', 3 * network.n_embd, compute), 3, axis=2)]
        query *= (network.n_embd // network.n_head) ** -0.5
        if memory is None:
            memory = tf.stack([key, value], axis=1)  # [n, 2, h, t, d]
            scores = _product(query, key, compute, transpose_b=True)  # [n, h, t, t]
            shares = tf.nn.softmax(scores + _future(shape_list(x)[1]))
            mixed = _product(compute.drop(shares, 'shares'), value, compute)
        else:
            memory = write(memory[0], key, seen), write(memory[1], value, seen)
            mixed = attend(query, *memory, seen)
        mixed = _dense(_merge_heads(mixed), 'c_proj', network.n_embd, compute)
        return compute.drop(mixed, 'change'), memory


def _mlp(x, network, compute):
    with tf.variable_scope('mlp'):
        hidden = _gelu(_dense(x, 'c_fc', 4 * network.n_embd, compute))
        return compute.drop(_dense(hidden, 'c_proj', network.n_embd, compute), 'change')


def _scope():
    return tf.variable_scope('model', reuse=tf.AUTO_REUSE)


def _embedded(tokens, places, network, compute):
    """What goes into the first layer, [n, t, n_embd]. places: int32 [t] or [n, t]."""
    with _scope():
        wte = _variable('wte', [network.n_vocab, network.n_embd])
        wpe = _variable('wpe', [network.n_ctx, network.n_embd])
        return compute.drop(tf.gather(wte, tokens) + tf.gather(wpe, places), 'embedded')


def _layer(x, i, network, memory=None, seen=None, compute=PLAIN):
    """Layer i: [n, t, n_embd] -> the same, and the layer's memory."""
    with _scope(), tf.variable_scope('h%d' % i):
        change, memory = _attention(_norm(x, 'ln_1'), network, memory, seen, compute)
        x += change
        return x + _mlp(_norm(x, 'ln_2'), network, compute), memory


def _scores(x, network):
    """Logits [n, t, n_vocab] of what the last layer gives."""
    with _scope():
        n, t, width = shape_list(x)
        wte = _variable('wte', [network.n_vocab, network.n_embd])
        flat = tf.reshape(_norm(x, 'ln_f'), [-1, width])
        return tf.reshape(tf.matmul(flat, wte, transpose_b=True), [n, t, network.n_vocab])


def model(tokens, network, *, cache=None, places=None, compute=PLAIN):
    """Scores of the token after each token.

    tokens:  int32 [n, t].
    network: config.Network.
    cache:   None, where the tokens are all there is, or what `cache.empty` or an earlier call
             returned.
    places:  int32 [n, t], with a cache only: where in its text each token stands, rising by one.
             Those from n_ctx up to the cache's capacity are allowed and mean nothing.
    compute: Compute.
    Returns logits float32 [n, t, n_vocab], and the keys and values of each layer: the new cache,
    or, without one, float32 [n, 2, n_head, t, head size].
    """
    if cache is None:
        cache, seen, learnt = [None] * network.n_layer, None, tf.range(shape_list(tokens)[1])
    else:
        seen, learnt = view(places, network.n_head), tf.minimum(places, network.n_ctx - 1)
    x, memories = _embedded(tokens, learnt, network, compute), []
    for i, memory in enumerate(cache):
        x, memory = _layer(x, i, network, memory, seen, compute)
        memories.append(memory)
    return _scores(x, network), memories


def gradients(first, layers, last, variables):
    """The gradients of a scalar that is made layer by layer.

    first: tensor that goes into the first layer, made from the variables or not.
    layers: functions tensor -> tensor; each call builds the layer anew, over the same variables,
        and has to give the same numbers for the same tensor.
    last: function tensor -> the scalar, of what the last layer gives.
    Returns the scalar, and a tensor or None for each of the variables.
    """
    kept = [first]
    for layer in layers:
        kept.append(layer(kept[-1]))
    end = tf.stop_gradient(kept[-1])
    scalar = last(end)
    slope, *found = tf.gradients(scalar, [end] + variables)
    totals = [found]
    for layer, x in zip(reversed(layers), reversed(kept[:-1])):
        # Waiting for the slope does two things: it puts the work off until it is needed, and makes
        # it differ from that of the way forward, with which TensorFlow would otherwise unite it.
        with tf.control_dependencies([slope]):
            x = tf.identity(tf.stop_gradient(x))
        slope, *found = tf.gradients(layer(x), [x] + variables, slope)
        totals.append(found)
    totals.append(tf.gradients(first, variables, slope))
    return scalar, [_sum(some) for some in zip(*totals)]


def _sum(gradients):
    """The sum of those that are there; a dense tensor, or None."""
    there = [tf.convert_to_tensor(gradient) for gradient in gradients if gradient is not None]
    return tf.add_n(there) if there else None


def _mean(logits, tokens, weights):
    """The mean cross entropy of `loss`."""
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tokens[:, 1:], logits=logits)
    return tf.reduce_mean(each if weights is None else weights * each)


def loss(tokens, network, weights=None, compute=PLAIN):
    """Mean cross entropy, in nats, of tokens 1.. of int32 [n, t] given those before: a scalar.

    weights: float32 [n, t - 1], how much each of these tokens counts, 1 in the mean over a batch;
        None: all alike. compute: Compute.
    """
    logits, _ = model(tokens[:, :-1], network, compute=compute)
    return _mean(logits, tokens, weights)


def loss_and_gradients(tokens, network, weights, variables, *, compute=PLAIN, recompute=False):
    """`loss` and its gradients, a dense tensor for each of the model's variables that are given.

    recompute: keep nothing of the inside of layers for the way back, see `recompute`.
    """
    if not recompute:
        scalar = loss(tokens, network, weights, compute)
        # The table of tokens has a sparse gradient as input and a dense one as output layer;
        # made dense here, once, they are limited and applied like all others.
        return scalar, [tf.convert_to_tensor(g) for g in tf.gradients(scalar, variables)]
    seen = tokens[:, :-1]
    return gradients(
        _embedded(seen, tf.range(shape_list(seen)[1]), network, compute),
        [lambda x, i=i: _layer(x, i, network, compute=compute)[0] for i in range(network.n_layer)],
        lambda x: _mean(_scores(x, network), tokens, weights), variables)


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
