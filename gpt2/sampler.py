"""Sampling texts: the loop over tokens, inside of the graph, and the filters of each step.

Each text of a batch is at positions of its own, so prompts of any lengths share a batch without
padding on their left. Prompts are read in chunks of one size, and the number of rows is a multiple
of `packed.ROWS`, so the arithmetic of a text does not depend on what it is sampled with, nor on how
much: it is the same, bit for bit. A text that is sampled alone is therefore computed with padding
rows beside it.

Axes: n texts, v tokens of the vocabulary, m candidates.
"""

import collections
from typing import NamedTuple

import numpy as np

from dnnlib import files, progress
from dnnlib.files import UserError
from dnnlib.tflib import shape_list, tf
from gpt2 import cache, packed
from gpt2.model import for_sampling, model, variables

_CACHE_BYTES = 2 ** 30  # of the key/value cache, unless a batch size is given
_CHUNK = 16  # tokens of a prompt that are read at once; divides a block of the cache


class Sample(NamedTuple):
    """A sampled text.

    prompt:  what precedes it, a string.
    text:    what follows it.
    seed:    of the random numbers.
    finish:  'end' at an end-of-text, 'length' where there was no more room.
    tokens:  how many were sampled, end-of-text included.
    logprob: log-probability of these, in nats, summed: at temperature 1 without any filter or
             penalty.
    """
    prompt: str
    text: str
    seed: int
    finish: str
    tokens: int
    logprob: float

    def record(self):
        """All fields and `logprob_per_token` as a dict for JSON."""
        return dict(self._asdict(), logprob_per_token=self.logprob / self.tokens)


# --- From logits to a token.

Filters = collections.namedtuple('Filters', 'temperature top_k top_p')


def penalised(logits, factor):
    """Logits after the repetition penalty of CTRL (Keskar et al. 2019, section 4.1).

    logits: float32 [n, v].
    factor: float32 [n, v], the penalty where a token was sampled before, elsewhere 1.
    The paper divides by the penalty. That would make a token of a negative logit likelier, so those
    are multiplied by it, as later programs do.
    """
    return tf.where_v2(logits > 0, logits / factor, logits * factor)


def _exp(x):
    """e^x of x [n, m], with the same bits for a number at whatever index.

    TensorFlow computes up to 16 numbers at once, and what is left over by another formula.
    """
    m = shape_list(x)[1]
    return tf.exp(tf.pad(x, [[0, 0], [0, -m % 16]]))[:, :m]


def candidates(logits, filters):
    """The tokens that may come next, likeliest first.

    logits: float32 [n, v]; equal ones are ordered by their ids.
    filters.temperature: > 0, divides the logits.
    filters.top_k: keep the k likeliest and those equal to the k-th; 0 = all.
    filters.top_p: nucleus sampling (Holtzman et al. 2019, section 3.1): of these keep the fewest
        likeliest whose probabilities reach p, 1 = all. The token that crosses p is kept; the
        released program drops it.
    Returns probabilities float32 [n, m], 0 where ruled out, and ids int32 [n, m]; m <= v covers
    what top-k leaves. A row's numbers are those of the row alone, whatever m the others need.
    """
    v = logits.shape.as_list()[-1]
    logits /= filters.temperature
    k = tf.clip_by_value(filters.top_k, 1, v)
    first = tf.nn.top_k(logits, k)
    kth = tf.where_v2(filters.top_k > 0, first[0][:, -1:], -float('inf'))
    m = tf.reduce_max(tf.math.count_nonzero(logits >= kth, axis=1, dtype=tf.int32))
    # Sorting few of them is what saves time; without ties it is done.
    logits, ids = tf.cond(tf.equal(m, k), lambda: first, lambda: tf.nn.top_k(logits, m))
    weights = tf.where_v2(logits >= kth, _exp(logits - logits[:, :1]), 0.0)
    mass = tf.cumsum(weights, axis=1)
    probabilities = weights / mass[:, -1:]
    above = tf.cumsum(probabilities, axis=1, exclusive=True)  # mass of all likelier tokens
    kept = (above < filters.top_p) | (filters.top_p >= 1)
    return tf.where_v2(kept, probabilities, 0.0), ids


def draw(logits, filters, uniform):
    """One token id per row: where the cumulative probability passes `uniform` in [0, 1) [n]."""
    probabilities, ids = candidates(logits, filters)
    mass = tf.cumsum(probabilities, axis=1)
    passed = tf.reduce_sum(tf.cast(mass <= uniform[:, tf.newaxis] * mass[:, -1:], tf.int32), axis=1)
    last = tf.math.count_nonzero(probabilities, axis=1, dtype=tf.int32) - 1
    rank = tf.stack([tf.range(shape_list(ids)[0]), tf.minimum(passed, last)], axis=1)
    return tf.gather_nd(ids, rank)  # [n]


# --- From prompts to texts.

class Sampler:
    """The sampling loop, built into the default graph; it shares the variables of `model`."""

    def __init__(self, network, encoder, weights=None):
        """weights: name -> packed weights; None: packs the model's variables, in each run anew."""
        self._network, self._encoder = network, encoder
        if weights is None:
            weights = {name: packed.pack(name, variable) for name, variable in
                       variables(network, packed.names(network)).items()}
        self._compute = for_sampling(weights)
        # The ids of the prompts, padded on the right to whole chunks.
        self._prompt = tf.placeholder(tf.int32, [None, None])
        self._length = tf.placeholder(tf.int32, [None])  # of the prompt
        self._room = tf.placeholder(tf.int32, [None])  # for new tokens
        self._uniform = tf.placeholder(tf.float32, [None, None])  # one per new token and text
        self._penalty = tf.placeholder(tf.float32, [])
        self._filters = Filters(tf.placeholder(tf.float32, []), tf.placeholder(tf.int32, []),
                                tf.placeholder(tf.float32, []))
        self._n = shape_list(self._length)[0]
        self._sampled = self._sample(self._read_prompts())

    def _read_prompts(self):
        """The cache after all tokens of the prompts but the last."""
        def read_chunk(first, kv):
            tokens = self._prompt[:, first:first + _CHUNK]
            tokens.set_shape([None, _CHUNK])
            positions = tf.tile([first + tf.range(_CHUNK)], [self._n, 1])
            _, kv = model(tokens, self._network, cache=kv, positions=positions,
                          compute=self._compute)
            return first + _CHUNK, kv
        last = tf.reduce_max(self._length) - 1
        kv = cache.empty(self._network, self._n, tf.reduce_max(self._length + self._room))
        return tf.while_loop(lambda first, _: first < last, read_chunk, [tf.constant(0), kv],
                             parallel_iterations=1, back_prop=False)[1]

    def _sample(self, kv):
        """Tokens int32 [steps, n] and their log-probabilities float32 [steps, n]."""
        size = tf.reduce_max(self._room)
        token = tf.gather_nd(self._prompt, tf.stack([tf.range(self._n), self._length - 1], axis=1))
        # Made anew in every run, never a constant: `_step` changes it.
        factor = tf.ones([self._n * self._network.n_vocab, 1])
        steps, _, _, _, _, _, tokens, logprobs = tf.while_loop(
            lambda step, token, position, done, *_: ~tf.reduce_all(done), self._step,
            [tf.constant(0), token, self._length - 1, tf.equal(self._room, 0), factor, kv,
             tf.TensorArray(tf.int32, size, element_shape=[None]),
             tf.TensorArray(tf.float32, size, element_shape=[None])],
            parallel_iterations=1, back_prop=False)
        return tokens.gather(tf.range(steps)), logprobs.gather(tf.range(steps))

    def _step(self, step, token, position, done, factor, kv, tokens, logprobs):
        """Read each text's `token` at its `position`, and draw the next one."""
        v = self._network.n_vocab
        logits, kv = model(token[:, tf.newaxis], self._network, cache=kv,
                           positions=position[:, tf.newaxis], compute=self._compute)
        logits = logits[:, 0]  # [n, n_vocab]
        scores = tf.cond(tf.equal(self._penalty, 1), lambda: logits,
                         lambda: penalised(logits, tf.reshape(factor, [-1, v])))
        drawn = draw(scores, self._filters, self._uniform[step])
        drawn = tf.where(done, tf.fill([self._n], self._encoder.end), drawn)
        tokens = tokens.write(step, drawn)
        logprobs = logprobs.write(step, -tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=drawn, logits=logits))
        # The penalty is for sampled tokens, not for the prompt: the text should use its words.
        factor = tf.raw_ops.InplaceUpdate(x=factor, i=tf.range(self._n) * v + drawn,
                                          v=tf.fill([self._n, 1], self._penalty))
        step += 1
        done |= tf.equal(drawn, self._encoder.end) | (step >= self._room)
        position += tf.cast(~done, tf.int32)
        return step, drawn, position, done, factor, kv, tokens, logprobs

    def _batch(self, sess, prompts, seeds, sampling):
        """Prompts as lists of ids -> for each the new ids and their log-probabilities.

        The ids end with end-of-text unless there was no more room.
        """
        size, end, n = self._network.n_ctx, self._encoder.end, packed.rows(len(prompts))
        length, room = np.ones([n], np.int32), np.zeros([n], np.int32)
        length[:len(prompts)] = [len(ids) for ids in prompts]
        room[:len(prompts)] = [self._room_of(ids, sampling) for ids in prompts]
        prompt = np.full([n, -(-length.max() // _CHUNK) * _CHUNK], end, np.int32)
        uniform = np.zeros([room.max(), n], np.float32)
        for row, (ids, seed) in enumerate(zip(prompts, seeds)):
            prompt[row, :len(ids)] = ids
            numbers = np.random.RandomState([seed]).random_sample(size)
            uniform[:room[row], row] = numbers[len(ids):len(ids) + room[row]]
        filters = sampling.temperature, sampling.top_k, sampling.top_p
        if sampling.temperature == 0:  # always the likeliest token
            filters, uniform = (1.0, 1, 1.0), np.zeros_like(uniform)
        feed = {self._prompt: prompt, self._length: length, self._room: room,
                self._uniform: uniform, self._penalty: sampling.repetition_penalty}
        feed.update(zip(self._filters, filters))
        tokens, logprobs = sess.run(self._sampled, feed)
        results = []
        for row in range(len(prompts)):
            ids = tokens[:room[row], row].tolist()
            ids = ids[:ids.index(end) + 1] if end in ids else ids
            results.append((ids, logprobs[:len(ids), row]))
        return results

    def _room_of(self, prompt, sampling):
        """The largest number of tokens that may follow a prompt."""
        room = self._network.n_ctx - len(prompt)
        return min(sampling.max_tokens or room, room)

    def _batches(self, prompts, sampling):
        """Lists of indices of prompts that are sampled together, of similar lengths."""
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        longest = max([len(ids) + self._room_of(ids, sampling) for ids in prompts], default=1)
        fit = _CACHE_BYTES // (longest * cache.bytes_per_position(self._network))
        # Rows are padded to a multiple of ROWS.
        most = min(sampling.batch or max(fit // packed.ROWS, 1) * packed.ROWS, packed.MOST)
        return [order[i:i + most] for i in range(0, len(order), most)]

    def _fitting(self, prompt, sampling):
        """A prompt after end-of-text; if it is too long, its last ids or a UserError."""
        # Every text follows the end of another one, in training as well.
        end, ids = [self._encoder.end], prompt
        size = self._network.n_ctx
        if sampling.trim:
            room = min(sampling.max_tokens or size, size // 2)
            ids = ids[max(0, len(ids) + 1 + room - size):]
        if len(ids) + 1 >= size:
            beginning = files.printable(self._encoder.decode(ids[:20])[:40])
            raise UserError(f"the prompt '{beginning}...' has {len(ids) + 1} tokens, and prompt "
                            f'and text together can have {size}; shorten it, or use --trim yes')
        return end + ids

    def samples(self, sess, prompts, *, seeds, sampling):
        """A Sample for each prompt, in their order.

        prompts: list of lists of ids.
        seeds:   one int in [0, 2**32) per prompt; they count, and `sampling.seed` does not.
        Raises UserError for a prompt that leaves no room for a text.
        """
        assert len(seeds) == len(prompts), (len(seeds), len(prompts))
        encoded = [self._fitting(prompt, sampling) for prompt in prompts]
        batches = self._batches(encoded, sampling)
        results = [None] * len(prompts)
        for batch in progress.bar(batches, what='sampling', unit='batch', leave=False,
                                  disable=len(batches) < 2):
            sampled = self._batch(sess, [encoded[i] for i in batch], [seeds[i] for i in batch],
                                  sampling)
            for i, (ids, logprobs) in zip(batch, sampled):
                results[i] = Sample(
                    prompt=self._encoder.decode(prompts[i]), text=self._encoder.decode(ids),
                    seed=int(seeds[i]),
                    finish='end' if ids[-1] == self._encoder.end else 'length', tokens=len(ids),
                    logprob=float(np.sum(logprobs, dtype=np.float64)))
        return results
