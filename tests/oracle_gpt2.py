"""GPT-2's forward pass in numpy, float64, one text at a time: written to be compared with.

`weights` maps a released name without its 'model/' to an array.
"""

import numpy as np


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def norm(x, gain, offset):
    variance = ((x - x.mean(-1, keepdims=True)) ** 2).mean(-1, keepdims=True)
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(variance + 1e-5) * gain + offset


def gelu(x):
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3)))


def attention(q, k, v):
    """One head: [t, d] each; a place sees itself and what is before it."""
    scores = q @ k.T / np.sqrt(q.shape[-1])
    scores[np.triu_indices(len(q), 1)] = -1e10
    return softmax(scores) @ v


def logits(weights, ids, *, heads, layers):
    """float64 [t, n_vocab]: the scores of what follows each of the t ids."""
    weights = {name: np.asarray(value, np.float64) for name, value in weights.items()}

    def dense(x, name):
        return x @ weights[name + '/w'][0] + weights[name + '/b']

    def normed(x, name):
        return norm(x, weights[name + '/g'], weights[name + '/b'])

    x = weights['wte'][ids] + weights['wpe'][:len(ids)]
    for i in range(layers):
        layer = f'h{i}/'
        parts = np.split(dense(normed(x, layer + 'ln_1'), layer + 'attn/c_attn'), 3, axis=-1)
        q, k, v = [np.split(part, heads, axis=-1) for part in parts]
        mixed = np.concatenate([attention(*head) for head in zip(q, k, v)], axis=-1)
        x = x + dense(mixed, layer + 'attn/c_proj')
        hidden = gelu(dense(normed(x, layer + 'ln_2'), layer + 'mlp/c_fc'))
        x = x + dense(hidden, layer + 'mlp/c_proj')
    return normed(x, 'ln_f') @ weights['wte'].T


def loss(weights, texts, *, heads, layers):
    """Mean cross entropy in nats of each next id, over several texts of one length."""
    losses = []
    for ids in texts:
        p = softmax(logits(weights, ids[:-1], heads=heads, layers=layers))
        losses.append(-np.log(p[np.arange(len(ids) - 1), ids[1:]]))
    return np.mean(losses)
