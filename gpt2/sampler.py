"""The writing loop, all of it inside the graph: read the prompts, then draw token after token.

Every text of a batch stands at a place of its own, so prompts of any lengths go together without
padding on their left, and none has a place that it must not see. Prompts are read in chunks of one
size, and batches have one size, so the arithmetic of a text is the same whatever it is written
with: it comes out the same, bit for bit.
"""

import collections
from typing import NamedTuple

import numpy as np

from dnnlib import progress
from dnnlib.files import UserError
from dnnlib.tflib import shape_list, tf
from gpt2 import cache
from gpt2.model import model

_ROWS = 8  # texts of a batch: on a CPU eight cost little more than one
_CHUNK = 16  # tokens of a prompt that are read at once; divides a block of the cache

Settings = collections.namedtuple('Settings', 'temperature top_k top_p')


class Sample(NamedTuple):
    """A written text.

    prompt:  what was asked for, as it was given.
    text:    what follows it.
    finish:  'end' at an end-of-text, 'length' where there was no more room.
    tokens:  how many were written, end-of-text counted.
    logprob: log-probability of these, in nats, summed: what the model gives them at temperature 1
             without any filter or penalty.
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


class Sampler:
    """The writing loop, built into the default graph; its variables are shared with `model`."""

    def __init__(self, network, encoder):
        self._network, self._encoder = network, encoder
        self._prompt = tf.placeholder(tf.int32, [_ROWS, cache.capacity(network)])  # then anything
        self._length = tf.placeholder(tf.int32, [_ROWS])  # of the prompt
        self._room = tf.placeholder(tf.int32, [_ROWS])  # for new tokens
        self._uniform = tf.placeholder(tf.float32, [network.n_ctx, _ROWS])  # one per new token
        self._penalty = tf.placeholder(tf.float32, [])
        self._settings = Settings(tf.placeholder(tf.float32, []),
                                          tf.placeholder(tf.int32, []),
                                          tf.placeholder(tf.float32, []))
        self._written = self._write(self._read())

    def _read(self):
        """The cache after all tokens of the prompts but the last."""
        def read_chunk(first, memories):
            tokens = self._prompt[:, first:first + _CHUNK]
            tokens.set_shape([_ROWS, _CHUNK])
            places = tf.tile([first + tf.range(_CHUNK)], [_ROWS, 1])
            _, memories = model(tokens, self._network, cache=memories, places=places)
            return first + _CHUNK, memories
        last = tf.reduce_max(self._length) - 1
        return tf.while_loop(lambda first, _: first < last, read_chunk,
                             [tf.constant(0), cache.empty(self._network, _ROWS)],
                             parallel_iterations=1, back_prop=False)[1]

    def _write(self, memories):
        """Tokens int32 [steps, _ROWS] and their log-probabilities float32 [steps, _ROWS]."""
        size = self._network.n_ctx
        texts = tf.range(_ROWS)
        token = tf.gather_nd(self._prompt, tf.stack([texts, self._length - 1], axis=1))
        steps, _, _, _, _, _, tokens, logprobs = tf.while_loop(
            lambda step, token, place, done, *_: ~tf.reduce_all(done), self._step,
            [tf.constant(0), token, self._length - 1, tf.equal(self._room, 0),
             tf.ones([_ROWS, self._network.n_vocab]), memories,
             tf.TensorArray(tf.int32, size, element_shape=[_ROWS]),
             tf.TensorArray(tf.float32, size, element_shape=[_ROWS])],
            parallel_iterations=1, back_prop=False)
        return tokens.gather(tf.range(steps)), logprobs.gather(tf.range(steps))

    def _step(self, step, token, place, done, factor, memories, tokens, logprobs):
        """Look at each text's `token`, which stands at `place`, and draw the one behind it."""
        logits, memories = model(token[:, tf.newaxis], self._network, cache=memories,
                                 places=place[:, tf.newaxis])
        logits = logits[:, 0]  # [_ROWS, n_vocab]
        drawn = draw(penalised(logits, factor), self._settings,
                             self._uniform[step])
        drawn = tf.where(done, tf.fill([_ROWS], self._encoder.end), drawn)
        tokens = tokens.write(step, drawn)
        logprobs = logprobs.write(step, -tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=drawn, logits=logits))
        # The penalty is for tokens that were written, not for the prompt: its words are wanted.
        factor = tf.tensor_scatter_nd_update(
            factor, tf.stack([tf.range(_ROWS), drawn], axis=1), tf.fill([_ROWS], self._penalty))
        step += 1
        done |= tf.equal(drawn, self._encoder.end) | (step >= self._room)
        place += tf.cast(~done, tf.int32)
        return step, drawn, place, done, factor, memories, tokens, logprobs

    def _batch(self, sess, starts, seeds, sampling):
        """At most `_ROWS` lists of prompt ids -> as many pairs: new ids, their log-probabilities.

        The ids end with end-of-text unless there was no more room.
        """
        s, end = self._network.n_ctx, self._encoder.end
        prompt = np.full(self._prompt.shape.as_list(), end, np.int32)
        uniform = np.zeros([s, _ROWS], np.float32)
        length, room = np.ones([_ROWS], np.int32), np.zeros([_ROWS], np.int32)
        for row, (start, seed) in enumerate(zip(starts, seeds)):
            length[row] = len(start)
            room[row] = min(sampling.max_tokens or s, s - len(start))
            prompt[row, :len(start)] = start
            numbers = np.random.RandomState([seed]).random_sample(s)
            uniform[:s - len(start), row] = numbers[len(start):]
        settings = sampling.temperature, sampling.top_k, sampling.top_p
        if sampling.temperature == 0:  # always the best token
            settings, uniform = (1.0, 1, 1.0), np.zeros_like(uniform)
        feed = {self._prompt: prompt, self._length: length, self._room: room,
                self._uniform: uniform, self._penalty: sampling.repetition_penalty}
        feed.update(zip(self._settings, settings))
        tokens, logprobs = sess.run(self._written, feed)
        results = []
        for row in range(len(starts)):
            ids = tokens[:room[row], row].tolist()
            ids = ids[:ids.index(end) + 1] if end in ids else ids
            results.append((ids, logprobs[:len(ids), row]))
        return results

    def _start(self, prompt, sampling):
        """The ids of a prompt; UserError, or its last ones, where it is too long."""
        # A text follows the end of another, in training as well: that is how a beginning looks.
        end, ids = [self._encoder.end], self._encoder.encode(prompt)
        s = self._network.n_ctx
        if sampling.trim:
            room = min(sampling.max_tokens or s, s // 2)
            ids = ids[max(0, len(ids) + 1 + room - s):]
        if len(ids) + 1 >= s:
            raise UserError("the prompt '%.40s...' has %d tokens, and the model holds %d with the "
                            'text; shorten it, or use --trim yes' % (prompt, len(ids) + 1, s))
        return end + ids

    def samples(self, sess, prompts, *, seeds, sampling):
        """The Sample that follows each prompt, in their order.

        prompts: list of strings, taken as they are.
        seeds:   one int in [0, 2**32) per prompt; they count, and `sampling.seed` does not.
        Raises UserError for a prompt that leaves no room for a text.
        """
        assert len(seeds) == len(prompts), (len(seeds), len(prompts))
        starts = [self._start(prompt, sampling) for prompt in prompts]
        # Batches of like lengths waste the least.
        order = sorted(range(len(prompts)), key=lambda i: len(starts[i]))
        batches = [order[i:i + _ROWS] for i in range(0, len(order), _ROWS)]
        results = [None] * len(prompts)
        for batch in progress.bar(batches, what='writing', unit='batch', leave=False,
                                  disable=len(batches) < 2):
            written = self._batch(sess, [starts[i] for i in batch], [seeds[i] for i in batch],
                                  sampling)
            for i, (ids, logprobs) in zip(batch, written):
                results[i] = Sample(
                    prompt=prompts[i], text=self._encoder.decode(ids), seed=int(seeds[i]),
                    finish='end' if ids[-1] == self._encoder.end else 'length', tokens=len(ids),
                    logprob=float(np.sum(logprobs, dtype=np.float64)))
        return results
