"""The transformer of GPT-2 (2019, section 2.3), as functions over tensors, and its gradients.

Scopes and shapes are those of the released checkpoints, down to the leading axis of length 1 on
every `w`. One form serves training, where all tokens of a text are given at once, and sampling,
where the keys and values of earlier tokens are in a cache.

Axes: n texts, t tokens, h heads, d = n_embd / h.
"""

import collections
import zlib

import numpy as np

from dnnlib.tflib import reshape, shape_list, tf
from gpt2 import int8, packed
from gpt2.cache import attend, view, write
from gpt2.config import shapes

# --- Dropout.

def dropout_seed(seed, step, part):
    """int32 [2]: decides the dropout masks of one part of a batch; all arguments are ints."""
    rng = np.random.RandomState([seed, step, part, 1])  # the windows' seed is [seed, step]
    return rng.randint(2 ** 31 - 1, size=2).astype(np.int32)


class Dropout:
    """Dropout (Srivastava et al. 2014) whose masks are a function of a seed and a scope's name.

    A mask is not a state of the session. So a resumed run has the masks that it would have had, and
    a layer that is recomputed in the backward pass has the same ones again.

    rate: probability that an activation is set to 0, in [0, 1); the others are scaled up so that
          the mean stays. At 0 nothing is changed.
    seed: int32 [2] tensor, see `dropout_seed`.
    """

    def __init__(self, rate, seed):
        assert 0 <= rate < 1, rate
        self._rate, self._seed = rate, seed

    def __call__(self, x, name):
        """x float32, with dropout. `name`: of the mask, in its variable scope; seeds the mask."""
        if self._rate == 0:
            return x
        scope = zlib.crc32(f'{tf.get_variable_scope().name}/{name}'.encode()) >> 1
        with tf.control_dependencies([x]):  # so a recomputed x gets a mask of its own to compute
            seed = tf.bitwise.bitwise_xor(self._seed, tf.constant([scope, 0], tf.int32))
            kept = tf.random.stateless_uniform(tf.shape(x), seed) >= self._rate
        return x * (tf.cast(kept, tf.float32) / (1 - self._rate))


def _no_dropout(x, name):
    return x


# How training and sampling may differ. dropout: a Dropout. bfloat16: whether the matrix products
# inside of layers are computed in bfloat16. packed: name -> weights for sampling, see `packed` and
# `int8`, which are used in place of the variables.
Compute = collections.namedtuple('Compute', 'dropout bfloat16 packed', defaults=[{}])
PLAIN = Compute(_no_dropout, False)


def for_sampling(weights):
    """The Compute of sampling with the `by_name` of packed.Variables or int8.Variables."""
    return PLAIN._replace(packed=weights)


# --- The transformer.

def _variable(name, shape):
    return tf.get_variable(name, shape, tf.float32, initializer=tf.zeros_initializer())


def _layer_norm(x, scope, compute):
    """Layer norm (Ba et al. 2016) over the last axis, with a learnt scale `g` and bias `b`."""
    rsqrt = packed.rsqrt if compute.packed else tf.rsqrt
    with tf.variable_scope(scope):
        width = x.shape.as_list()[-1]
        scale, bias = _variable('g', [width]), _variable('b', [width])
        mean, variance = tf.nn.moments(x, [-1], keep_dims=True)
        return (x - mean) * rsqrt(variance + 1e-5) * scale + bias


def _matmul(a, b, compute, **options):
    """The product of two matrices or stacks of them; float32, whatever it is computed in."""
    if not compute.bfloat16:
        return tf.matmul(a, b, **options)
    product = tf.matmul(tf.cast(a, tf.bfloat16), tf.cast(b, tf.bfloat16), **options)
    return tf.cast(product, tf.float32)


def _packed_product(x, weights, outputs):
    """The product of x [n, inputs] with weights for sampling: [n, outputs]."""
    if isinstance(weights, int8.Matrix):
        return int8.product(x, weights)
    return packed.product(x, weights, outputs)


def _dense(x, scope, width, compute):
    with tf.variable_scope(scope) as here:
        n, t, inputs = shape_list(x)
        flat = tf.reshape(x, [-1, inputs])  # one large product is faster than n small ones
        weights = compute.packed.get(f'{here.name}/w')
        if weights is None:
            w = _variable('w', [1, inputs, width])
            product = _matmul(flat, tf.squeeze(w, 0), compute)
        else:
            product = _packed_product(flat, weights, width)
        return reshape(product + _variable('b', [width]), [n, t, width])


def _gelu(x):
    """Gaussian error linear unit (Hendrycks 2016): x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).

    Written with 1/2 (1 + tanh u) = sigmoid(2 u), which saves a third of the passes over memory.
    """
    slope = 2 * np.sqrt(2 / np.pi)
    return x * tf.sigmoid(x * (slope + slope * 0.044715 * x * x))


def _split_heads(x, n_head):
    n, t, width = shape_list(x)
    if t == 1:  # nothing changes places
        return reshape(x, [n, n_head, 1, width // n_head])
    heads = reshape(x, [n, t, n_head, width // n_head])
    return tf.transpose(heads, [0, 2, 1, 3])  # [n, h, t, d]


def _merge_heads(x):
    n, h, t, d = shape_list(x)
    return reshape(x if t == 1 else tf.transpose(x, [0, 2, 1, 3]), [n, t, h * d])


def _causal_mask(t):
    """float32 [t, t], to add to scores: -1e10 where a key comes after its query, else 0."""
    position = tf.range(t)
    return tf.cast(position[tf.newaxis] > position[:, tf.newaxis], tf.float32) * -1e10


def _attention(x, network, kv, seen, compute):
    """Causal self-attention -> its output, and the keys and values: of x, or the cache with them.

    kv: the layer's cache, with `seen`, the View of it; or None.
    """
    with tf.variable_scope('attn'):
        query, key, value = [_split_heads(part, network.n_head) for part in tf.split(
            _dense(x, 'c_attn', 3 * network.n_embd, compute), 3, axis=2)]
        query *= (network.n_embd // network.n_head) ** -0.5
        if kv is None:
            kv = tf.stack([key, value], axis=1)  # [n, 2, h, t, d]
            scores = _matmul(query, key, compute, transpose_b=True)  # [n, h, t, t]
            weights = tf.nn.softmax(scores + _causal_mask(shape_list(x)[1]))
            # The name seeds the mask: with another one, equal seeds would train other weights.
            mixed = _matmul(compute.dropout(weights, 'shares'), value, compute)
        else:
            kv = write(kv[0], key, seen), write(kv[1], value, seen)
            mixed = attend(query, *kv, seen)
        mixed = _dense(_merge_heads(mixed), 'c_proj', network.n_embd, compute)
        return compute.dropout(mixed, 'change'), kv


def _mlp(x, network, compute):
    with tf.variable_scope('mlp'):
        hidden = _gelu(_dense(x, 'c_fc', 4 * network.n_embd, compute))
        return compute.dropout(_dense(hidden, 'c_proj', network.n_embd, compute), 'change')


def _scope():
    return tf.variable_scope('model', reuse=tf.AUTO_REUSE)


def _embedding(tokens, positions, network, compute):
    """Token and positional embedding, [n, t, n_embd]. positions: int32 [t] or [n, t]."""
    with _scope():
        wte = _variable('wte', [network.n_vocab, network.n_embd])
        wpe = _variable('wpe', [network.n_ctx, network.n_embd])
        return compute.dropout(tf.gather(wte, tokens) + tf.gather(wpe, positions), 'embedded')


def _layer(x, i, network, kv=None, seen=None, compute=PLAIN):
    """Layer i: [n, t, n_embd] -> the same, and the keys and values of `_attention`."""
    with _scope(), tf.variable_scope(f'h{i}'):
        residual, kv = _attention(_layer_norm(x, 'ln_1', compute), network, kv, seen, compute)
        x += residual
        return x + _mlp(_layer_norm(x, 'ln_2', compute), network, compute), kv


def _logits(x, network, compute=PLAIN):
    """Logits [n, t, n_vocab] from the output of the last layer [n, t, n_embd]."""
    with _scope() as here:
        n, t, width = shape_list(x)
        flat = tf.reshape(_layer_norm(x, 'ln_f', compute), [-1, width])
        weights = compute.packed.get(f'{here.name}/wte')
        if weights is None:
            wte = _variable('wte', [network.n_vocab, network.n_embd])
            logits = tf.matmul(flat, wte, transpose_b=True)
        else:
            logits = _packed_product(flat, weights, network.n_vocab)
        return reshape(logits, [n, t, network.n_vocab])


def model(tokens, network, *, cache=None, positions=None, compute=PLAIN):
    """Logits of the token after each token.

    tokens:    int32 [n, t].
    network:   config.Network.
    cache:     None where `tokens` is the whole text, else what `cache.empty` or an earlier call
               returned.
    positions: int32 [n, t], with a cache only: each token's position in its text, rising by one.
               Those from n_ctx up to the cache's capacity are allowed; their logits mean nothing.
    compute:   Compute.
    Returns logits float32 [n, t, n_vocab], and the keys and values of each layer: the new cache,
    or, without one, float32 [n, 2, n_head, t, head size].
    """
    if cache is None:
        cache, seen, embedded = [None] * network.n_layer, None, tf.range(shape_list(tokens)[1])
    else:
        seen, embedded = view(positions, network.n_head), tf.minimum(positions, network.n_ctx - 1)
    x, present = _embedding(tokens, embedded, network, compute), []
    for i, kv in enumerate(cache):
        x, kv = _layer(x, i, network, kv, seen, compute)
        present.append(kv)
    return _logits(x, network, compute), present


# --- Loss and gradients.

def _cross_entropy(logits, tokens, weights):
    """The mean cross entropy of `loss`."""
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tokens[:, 1:], logits=logits)
    return tf.reduce_mean(each if weights is None else weights * each)


def loss(tokens, network, weights=None, compute=PLAIN):
    """Mean cross entropy, in nats, of tokens 1.. of int32 [n, t] given those before: a scalar.

    weights: float32 [n, t - 1], the loss weight of each of these tokens, with mean 1 over a batch;
        None: all equal. compute: Compute.
    """
    logits, _ = model(tokens[:, :-1], network, compute=compute)
    return _cross_entropy(logits, tokens, weights)


def loss_and_gradients(tokens, network, weights, variables, *, compute=PLAIN, recompute=False):
    """`loss` and its gradients, a dense tensor for each of the given variables of the model.

    recompute: gradient checkpointing, see `checkpointed_gradients`.
    """
    if not recompute:
        scalar = loss(tokens, network, weights, compute)
        # The gradient of the tied embedding is sparse as input and dense as output layer. Made
        # dense here, once, it is clipped and applied like all others.
        return scalar, [tf.convert_to_tensor(g) for g in tf.gradients(scalar, variables)]
    inputs = tokens[:, :-1]
    return checkpointed_gradients(
        _embedding(inputs, tf.range(shape_list(inputs)[1]), network, compute),
        [lambda x, i=i: _layer(x, i, network, compute=compute)[0] for i in range(network.n_layer)],
        lambda x: _cross_entropy(_logits(x, network), tokens, weights), variables)


def checkpointed_gradients(first, layers, last, variables):
    """The gradients of a scalar with gradient checkpointing (Chen et al. 2016), once per layer.

    Only the inputs of layers are kept in the forward pass; the activations inside of a layer are
    computed again when the backward pass reaches it. It costs one more forward pass, a third of
    the time.

    first: tensor, the input of the first layer, made from the variables or not.
    layers: functions tensor -> tensor; each call builds the layer anew, over the same variables,
        and has to give the same values for the same tensor.
    last: function tensor -> the scalar, of the output of the last layer.
    Returns the scalar, and a tensor or None for each of the variables.
    """
    inputs = [first]
    for layer in layers:
        inputs.append(layer(inputs[-1]))
    output = tf.stop_gradient(inputs.pop())
    scalar = last(output)
    upstream, *gradients = tf.gradients(scalar, [output] + variables)
    summands = [gradients]
    for layer, x in zip(reversed(layers), reversed(inputs)):
        # Depending on the upstream gradient delays the second computation until it is needed, and
        # makes it differ from the first, with which TensorFlow would otherwise merge it.
        with tf.control_dependencies([upstream]):
            x = tf.identity(tf.stop_gradient(x))
        upstream, *gradients = tf.gradients(layer(x), [x] + variables, upstream)
        summands.append(gradients)
    summands.append(tf.gradients(first, variables, upstream))
    return scalar, [_sum(parts) for parts in zip(*summands)]


def _sum(gradients):
    """The sum of those that are not None; a dense tensor, or None."""
    dense = [tf.convert_to_tensor(gradient) for gradient in gradients if gradient is not None]
    return tf.add_n(dense) if dense else None


# --- The weights.

def variables(network, names):
    """Name -> variable of the model, for some of the names of `shapes`."""
    with tf.variable_scope('', reuse=tf.AUTO_REUSE):
        return {name: _variable(name, shapes(network)[name]) for name in names}


def initial(variables, seed):
    """Fresh weights for variables of this model: dict of name -> float32 array.

    The release draws with standard deviation 0.02 at a width of 768. A narrower model gets larger
    ones, in inverse proportion to the root of its width, so that sums have the same size.
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
