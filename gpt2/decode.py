"""Writing text: temperature, top-k, nucleus (Holtzman et al. 2019), and a loop over cached keys.

All rows of a batch stand at the same place of their text. A row whose prompt still goes on there
takes its next token from the prompt instead of drawing one, so prompts of any lengths go together
without padding, and no row sees another. Batches have one fixed size, hence a row's text is the
same, bit for bit, whatever it is written with.
"""

import collections

import numpy as np

from dnnlib import progress, tflib
from dnnlib.files import UserError
from dnnlib.tflib import shape_list, tf
from gpt2 import dataset, encoder, weights
from gpt2.model import empty_cache, model

_ROWS = 8  # texts of a batch: on a CPU eight cost little more than one

Settings = collections.namedtuple('Settings', 'temperature top_k top_p')


def candidates(logits, settings):
    """The tokens that may come next, best first.

    logits: float32 [n, v]; equal ones are ordered by their ids.
    settings.temperature: > 0, divides the logits.
    settings.top_k: keep the k best and whatever ties with the k-th; 0 = all.
    settings.top_p: of these keep the fewest best whose probabilities reach p, 1 = all. The token
        that crosses p is kept; the released program drops it.
    Returns their probabilities float32 [n, v], 0 where ruled out, and their ids int32 [n, v].
    """
    v = logits.shape.as_list()[-1]
    scores, ids = tf.nn.top_k(logits / settings.temperature, v)
    k = tf.where(settings.top_k > 0, tf.minimum(settings.top_k, v), v)
    kth = scores[:, k - 1:k]
    probabilities = tf.nn.softmax(tf.where_v2(scores >= kth, scores, -1e10))
    better = tf.cumsum(probabilities, axis=1, exclusive=True)  # mass of all better tokens
    kept = (better < settings.top_p) | (settings.top_p >= 1)
    return tf.where_v2(kept, probabilities, 0.0), ids


def _draw(logits, settings, uniform):
    """One token id per row: where the cumulative probability passes `uniform` in [0, 1) [n]."""
    probabilities, ids = candidates(logits, settings)
    mass = tf.cumsum(probabilities, axis=1)
    passed = tf.reduce_sum(tf.cast(mass <= uniform[:, tf.newaxis] * mass[:, -1:], tf.int32), axis=1)
    last = tf.math.count_nonzero(probabilities, axis=1, dtype=tf.int32) - 1
    rank = tf.stack([tf.range(shape_list(ids)[0]), tf.minimum(passed, last)], axis=1)
    return tf.gather_nd(ids, rank)  # [n]


def _replaced(x, column, place):
    """x [n, s] with `column` [n] at index `place`."""
    result = tf.concat([x[:, :place], column[:, tf.newaxis], x[:, place + 1:]], axis=1)
    result.set_shape(x.shape)
    return result


class Sampler:
    """The writing loop, built into the default graph; its variables are shared with `model`."""

    def __init__(self, network, encoder):
        self._network, self._encoder = network, encoder
        n, s = _ROWS, network.n_ctx
        self._tokens = tf.placeholder(tf.int32, [n, s])  # a prompt, then anything
        self._prompt = tf.placeholder(tf.int32, [n])  # its length
        self._limit = tf.placeholder(tf.int32, [n])  # longest text, prompt included
        self._uniform = tf.placeholder(tf.float32, [n, s])
        self._settings = Settings(tf.placeholder(tf.float32, []), tf.placeholder(tf.int32, []),
                                  tf.placeholder(tf.float32, []))
        _, _, self._written, _ = tf.while_loop(
            lambda place, done, *_: (place + 1 < s) & ~tf.reduce_all(done), self._step,
            [tf.constant(0), tf.zeros([n], tf.bool), self._tokens, empty_cache(network, n)],
            parallel_iterations=1, back_prop=False)

    def _step(self, place, done, tokens, cache):
        """Look at the tokens at `place`, and fill `place` + 1."""
        now = tf.reshape(tokens[:, place], [_ROWS, 1])
        logits, cache = model(now, self._network, cache=cache, position=place)
        place += 1
        drawn = _draw(logits[:, 0], self._settings, self._uniform[:, place])
        done |= place >= self._limit
        own = tf.where(done, tf.fill([_ROWS], self._encoder.end), drawn)
        following = tf.where(place < self._prompt, tokens[:, place], own)
        done |= (place >= self._prompt) & tf.equal(following, self._encoder.end)
        return place, done, _replaced(tokens, following, place), cache

    def _batch(self, sess, prompts, seeds, settings, max_tokens):
        """At most `_ROWS` lists of prompt ids -> as many lists of new ids."""
        s, end = self._network.n_ctx, self._encoder.end
        tokens = np.full([_ROWS, s], end, np.int32)
        uniform = np.zeros([_ROWS, s], np.float32)
        lengths = np.ones([_ROWS], np.int32)
        for row, (prompt, seed) in enumerate(zip(prompts, seeds)):
            lengths[row] = len(prompt)
            tokens[row, :len(prompt)] = prompt
            uniform[row] = np.random.RandomState([seed]).random_sample(s)
        if settings.temperature == 0:  # always the best token
            settings, uniform = Settings(1.0, 1, 1.0), np.zeros_like(uniform)
        limits = np.where(np.arange(_ROWS) < len(prompts), np.minimum(lengths + max_tokens, s), 0)
        feed = {self._tokens: tokens, self._prompt: lengths, self._limit: limits,
                self._uniform: uniform}
        feed.update(zip(self._settings, settings))
        written = sess.run(self._written, feed)
        results = []
        for row, prompt in enumerate(prompts):
            new = written[row, len(prompt):limits[row]].tolist()
            results.append(new[:new.index(end)] if end in new else new)
        return results

    def texts(self, sess, prompts, *, seeds, settings, max_tokens=0):
        """What follows each prompt; see `Writer.texts`."""
        assert len(seeds) == len(prompts), (len(seeds), len(prompts))
        # A text follows the end of another, in training as well: that is how a beginning looks.
        starts = [[self._encoder.end] + self._encoder.encode(prompt) for prompt in prompts]
        for prompt, start in zip(prompts, starts):
            if len(start) >= self._network.n_ctx:
                raise UserError("the prompt '%.40s...' has %d tokens, and the model holds %d with "
                                'the text; shorten it' % (prompt, len(start), self._network.n_ctx))
        results = []
        chunks = range(0, len(prompts), _ROWS)
        for i in progress.bar(chunks, what='writing', unit='batch', leave=False,
                              disable=len(chunks) < 2):
            some = slice(i, i + _ROWS)
            news = self._batch(sess, starts[some], seeds[some], settings,
                               max_tokens or self._network.n_ctx)
            results += [self._encoder.decode(new) for new in news]
        return results


class Writer:
    """A trained model, ready to write: load once, call often.

    folder: a snapshot or a run folder, or one in the released layout.
    Raises UserError for anything else.
    """

    def __init__(self, folder, threads=0):
        folder = weights.find(folder)
        network, values = weights.read(folder)
        self._tagged = weights.about(folder).get('tagged', False)
        with tf.Graph().as_default():
            self._sampler = Sampler(network, encoder.load(folder))
            self._session = tflib.session(threads)
            weights.assign(self._session, values, folder)
            tf.get_default_graph().finalize()

    def prompt(self, words):
        """Words as a prompt of the form that the model was trained on; a prompt stays as it is."""
        return dataset.prompt(words) if self._tagged and dataset.TAG_END not in words else words

    def texts(self, prompts, *, seeds, temperature=1.0, top_k=0, top_p=1.0, max_tokens=0,
              keep_prompt=False):
        """Write one text per prompt, until end-of-text, `max_tokens` (0 = what fits) or n_ctx.

        prompts:     list of strings. For a model that was trained with attributes these are some
                     attributes, free order, the category best last: 'red midi dress', or '' for
                     anything; ' -> ' may follow with the beginning of the description. For any
                     other model they are the beginning of the text.
        seeds:       one int in [0, 2**32) per prompt; equal seed and prompt, equal text.
        temperature: >= 0; 0 always takes the best token.
        top_k:       see `candidates`; so is top_p.
        keep_prompt: leave the prompt in front of the text.
        """
        if temperature < 0 or top_k < 0 or max_tokens < 0 or not 0 < top_p <= 1:
            raise UserError('temperature %g, top-k %d, top-p %g, max-tokens %d: the first two and '
                            'the last are at least 0, and top-p lies in (0, 1]'
                            % (temperature, top_k, top_p, max_tokens))
        asked = [self.prompt(prompt) for prompt in prompts]
        texts = self._sampler.texts(
            self._session, asked, seeds=seeds, max_tokens=max_tokens,
            settings=Settings(temperature, top_k, top_p))
        if keep_prompt:
            texts = [front.lstrip() + text if self._tagged and prompt else prompt + text
                     for prompt, front, text in zip(prompts, asked, texts)]
        return texts


def report(texts):
    """Texts in the form of the post, each under a line `==== SAMPLE 1 ====`."""
    return ''.join('%s SAMPLE %d %s\n%s\n' % ('=' * 40, i, '=' * 40, text)
                   for i, text in enumerate(texts, 1))
