"""From scores to the next token: repetition penalty, temperature, top-k, nucleus, draw.

Axes: n texts, v tokens of the vocabulary, m tokens that are looked at.
"""

import collections

from dnnlib.tflib import shape_list, tf

Settings = collections.namedtuple('Settings', 'temperature top_k top_p')


def penalised(logits, factor):
    """Scores after the repetition penalty of CTRL (Keskar et al. 2019, section 4.1).

    logits: float32 [n, v].
    factor: float32 [n, v], the penalty where a token was written before, elsewhere 1.
    The paper divides by the penalty. That would make a negative score better, so those are
    multiplied by it, as later programs do.
    """
    return tf.where_v2(logits > 0, logits / factor, logits * factor)


def _exp(x):
    """e^x of x [n, m], the same bits for a number wherever it stands.

    Up to 16 numbers are computed at once and what is left over one by one, by another formula.
    """
    m = shape_list(x)[1]
    return tf.exp(tf.pad(x, [[0, 0], [0, -m % 16]]))[:, :m]


def candidates(logits, settings):
    """The tokens that may come next, best first.

    logits: float32 [n, v]; equal ones are ordered by their ids.
    settings.temperature: > 0, divides the logits.
    settings.top_k: keep the k best and whatever ties with the k-th; 0 = all.
    settings.top_p: of these keep the fewest best whose probabilities reach p, 1 = all (Holtzman et
        al. 2019, section 3.1). The token that crosses p is kept; the released program drops it.
    Returns probabilities float32 [n, m], 0 where ruled out, and ids int32 [n, m]; m <= v covers
    what top-k leaves. A row's numbers are those of the row alone, whatever m the others need.
    """
    v = logits.shape.as_list()[-1]
    scores = logits / settings.temperature
    k = tf.clip_by_value(settings.top_k, 1, v)
    kth = tf.where_v2(settings.top_k > 0, tf.nn.top_k(scores, k)[0][:, -1:], -float('inf'))
    most = tf.reduce_max(tf.math.count_nonzero(scores >= kth, axis=1, dtype=tf.int32))
    scores, ids = tf.nn.top_k(scores, most)  # sorting few of them is what saves time
    weights = tf.where_v2(scores >= kth, _exp(scores - scores[:, :1]), 0.0)
    mass = tf.cumsum(weights, axis=1)
    probabilities = weights / mass[:, -1:]
    better = tf.cumsum(probabilities, axis=1, exclusive=True)  # mass of all better tokens
    kept = (better < settings.top_p) | (settings.top_p >= 1)
    return tf.where_v2(kept, probabilities, 0.0), ids


def draw(logits, settings, uniform):
    """One token id per row: where the cumulative probability passes `uniform` in [0, 1) [n]."""
    probabilities, ids = candidates(logits, settings)
    mass = tf.cumsum(probabilities, axis=1)
    passed = tf.reduce_sum(tf.cast(mass <= uniform[:, tf.newaxis] * mass[:, -1:], tf.int32), axis=1)
    last = tf.math.count_nonzero(probabilities, axis=1, dtype=tf.int32) - 1
    rank = tf.stack([tf.range(shape_list(ids)[0]), tf.minimum(passed, last)], axis=1)
    return tf.gather_nd(ids, rank)  # [n]
