import numpy as np
import oracle_gpt2 as oracle
import pytest

from dnnlib import tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from gpt2 import encoder, model, sampler
from gpt2.config import Network, Sampling

LOGITS = np.log(np.array([[0.5, 0.1, 0.2, 0.1, 0.1], [0.05, 0.05, 0.8, 0.06, 0.04]], np.float32))
VOCABULARY = encoder.train(['a red dress', 'a blue dress', 'a red skirt'], 270)
SMALL = Network(n_vocab=VOCABULARY.size, n_ctx=300, n_embd=16, n_head=2, n_layer=2)
# From nothing to nearly full, on both sides of a chunk and of a block.
PROMPTS = ['', 'a', 'a red dress', 'skirt', 'blue' * 4, 'dress a', 'r' * 15, 'b' * 16, 'aa' * 8,
           'ab' * 63, 'ba' * 64, 'rs' * 65, 'x' * 290]
SEEDS = list(range(len(PROMPTS)))


class Toy:
    """A sampler with weights so large that texts differ and some of them end."""

    def __init__(self):
        with tf.Graph().as_default():
            self.sampler = sampler.Sampler(SMALL, VOCABULARY)
            self.session = tflib.session(1)
            values = model.initial(tf.trainable_variables(), 3)
            self.values = {name: value * (1 if name.endswith('/g') else 12)
                           for name, value in values.items()}
            tflib.assign(self.session, self.values)

    def write(self, prompts, seeds, **some):
        ids = [VOCABULARY.encode(prompt) for prompt in prompts]
        return self.sampler.samples(self.session, ids, seeds=seeds,
                                    sampling=Sampling(**dict(dict(max_tokens=24), **some)))

    def logits(self, ids):
        named = {name[len('model/'):]: value for name, value in self.values.items()}
        return oracle.logits(named, ids, heads=SMALL.n_head, layers=SMALL.n_layer)


@pytest.fixture(scope='module')
def toy():
    return Toy()


@pytest.mark.parametrize('penalty', [1.0, 1.3])
def test_the_best_tokens_are_the_oracles(toy, penalty):
    """Temperature 0 against the longest way round: the whole text anew for each token."""
    samples = toy.write(PROMPTS, SEEDS, temperature=0, max_tokens=5, repetition_penalty=penalty)
    for prompt, sample in zip(PROMPTS, samples):
        ids, written, logprob = [VOCABULARY.end] + VOCABULARY.encode(prompt), [], 0.0
        while len(written) < 5 and written[-1:] != [VOCABULARY.end]:
            scores = toy.logits(ids + written)[-1]
            best = scores.copy()
            for i in set(written):
                best[i] = best[i] / penalty if best[i] > 0 else best[i] * penalty
            written.append(int(np.argmax(best)))
            logprob += np.log(oracle.softmax(scores)[written[-1]])
        assert sample.text == VOCABULARY.decode(written), prompt
        assert sample.tokens == len(written)
        assert sample.finish == ('end' if written[-1] == VOCABULARY.end else 'length')
        np.testing.assert_allclose(sample.logprob, logprob, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize('some', [dict(temperature=1.0, top_k=0), dict(temperature=0.9, top_p=0.9),
                                  dict(temperature=1.0, repetition_penalty=1.2)])
def test_a_sample_does_not_depend_on_its_neighbours(toy, some):
    """Bit for bit, the log-probability as well, over prompts from nothing to nearly full."""
    together = toy.write(PROMPTS, SEEDS, **some)
    alone = [toy.write([prompt], [seed], **some)[0] for prompt, seed in zip(PROMPTS, SEEDS)]
    backwards = toy.write(PROMPTS[::-1], SEEDS[::-1], **some)
    threes = toy.write(PROMPTS, SEEDS, batch=3, **some)
    assert together == alone == backwards[::-1] == threes
    assert [sample.prompt for sample in together] == PROMPTS
    assert len({sample.text for sample in together}) > len(PROMPTS) / 2


def test_seeds_decide(toy):
    first, again = [toy.write(['a'] * 4, [1, 2, 1, 3], temperature=1.0) for _ in range(2)]
    assert first == again and first[0] == first[2] and first[0].text != first[1].text


def test_the_length_limit_cuts_what_comes_with_more_room(toy):
    long, short = [toy.write([''] * 8, range(8), temperature=2.0, max_tokens=room)
                   for room in (0, 60)]
    assert {sample.finish for sample in short} == {'end', 'length'}
    for more, less in zip(long, short):
        assert more.text.startswith(less.text.rstrip('\ufffd'))
        assert less.tokens == min(60, more.tokens)
        assert less.finish == (more.finish if more.tokens <= 60 else 'length')
        assert more.tokens < SMALL.n_ctx and (more.finish == 'end') == (
            more.tokens < SMALL.n_ctx - 1)


def test_the_last_place_can_be_filled(toy):
    sample, = toy.write(['x' * 298], [0], max_tokens=0)
    assert (sample.tokens, sample.finish) in {(1, 'length'), (1, 'end')}
    with pytest.raises(UserError, match='--trim yes') as error:
        toy.write(['\x1b' + 'x' * 298], [0])
    assert str(error.value).isprintable()


@pytest.mark.parametrize('max_tokens, kept', [(24, 275), (0, 149), (299, 149)])
def test_a_long_prompt_is_shortened_from_the_left(toy, max_tokens, kept):
    prompt = ''.join(chr(97 + i % 26) for i in range(400))
    short, = toy.write([prompt[-kept:]], [5], max_tokens=max_tokens)
    trimmed, fits = toy.write([prompt, 'a'], [5, 6], max_tokens=max_tokens, trim=True)
    assert len(VOCABULARY.encode(prompt)) == 400
    assert trimmed == short._replace(prompt=prompt)
    assert fits == toy.write(['a'], [6], max_tokens=max_tokens)[0]


def test_the_loop_leaves_no_variable_to_save(toy):
    with tf.Graph().as_default():
        sampler.Sampler(SMALL, VOCABULARY)
        assert tf.global_variables() == tf.trainable_variables() and not tf.local_variables()


def constants(temperature=1.0, top_k=0, top_p=1.0):
    return sampler.Filters(tf.constant(temperature), tf.constant(top_k), tf.constant(top_p))


def kept(logits, **some):
    """Probabilities by id [n, v] after the sampler."""
    with tf.Graph().as_default(), tflib.session(1) as sess:
        probabilities, ids = sess.run(sampler.candidates(tf.constant(logits), constants(**some)))
    assert np.all(np.diff(probabilities, axis=1) <= 0)
    result = np.zeros_like(logits)
    np.put_along_axis(result, ids, probabilities, axis=1)
    return result


def test_without_filters_these_are_the_probabilities_at_the_temperature():
    np.testing.assert_allclose(kept(LOGITS), np.exp(LOGITS), atol=1e-6)
    np.testing.assert_allclose(kept(LOGITS, temperature=0.5), oracle.softmax(LOGITS * 2), atol=1e-6)


def test_top_k_keeps_ties_with_the_kth():
    np.testing.assert_array_equal(kept(LOGITS, top_k=3) > 0, [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]])
    np.testing.assert_array_equal(kept(LOGITS, top_k=2) > 0, [[1, 0, 1, 0, 0], [0, 0, 1, 1, 0]])
    np.testing.assert_array_equal(kept(LOGITS, top_k=99) > 0, kept(LOGITS) > 0)


def test_top_p_keeps_the_token_that_crosses_p():
    np.testing.assert_array_equal(kept(LOGITS, top_p=0.6) > 0, [[1, 0, 1, 0, 0], [0, 0, 1, 0, 0]])
    np.testing.assert_array_equal(kept(LOGITS, top_p=0.01) > 0, [[1, 0, 0, 0, 0], [0, 0, 1, 0, 0]])


def test_top_p_counts_what_top_k_and_temperature_left():
    both = kept(LOGITS, top_k=2, top_p=0.7)  # 0.5 and 0.2 become 0.71 and 0.29
    np.testing.assert_array_equal(both[0] > 0, [1, 0, 0, 0, 0])


@pytest.mark.parametrize('some', [dict(top_k=3), dict(top_p=0.8), dict(top_k=7, top_p=0.9), {}])
def test_a_row_is_filtered_as_if_it_were_alone(some):
    """Also where a neighbour with many ties makes more tokens stay in sight."""
    logits = np.random.RandomState([0]).standard_normal([6, 300]).astype(np.float32)
    logits[4] = 1.0
    together = kept(logits, **some)
    for row in range(6):
        np.testing.assert_array_equal(kept(logits[row:row + 1], **some)[0], together[row])


def test_draws_come_as_often_as_their_probability():
    n = 1000
    with tf.Graph().as_default(), tflib.session(1) as sess:
        uniform = tf.constant(((np.arange(n) + 0.5) / n).astype(np.float32))
        logits = tf.constant(np.repeat(LOGITS[:1], n, axis=0))
        ids = sess.run(sampler.draw(logits, constants(top_k=2), uniform))
        highest = sess.run(sampler.draw(logits[:1], constants(top_k=2), tf.constant([1.0])))
    share = np.bincount(ids, minlength=5) / n
    np.testing.assert_allclose(share, [5 / 7, 0, 2 / 7, 0, 0], atol=2 / n)
    assert highest[0] == 2  # rounding up to 1 draws the last that is left, not one ruled out


def test_the_penalty_makes_a_token_rarer_whatever_the_sign_of_its_score():
    logits = np.array([[2.0, -2.0, 2.0, -2.0]], np.float32)
    factor = np.array([[1.0, 1.0, 1.25, 1.25]], np.float32)
    with tf.Graph().as_default(), tflib.session(1) as sess:
        ours = sess.run(sampler.penalised(tf.constant(logits), tf.constant(factor)))
    np.testing.assert_array_equal(ours, np.array([[2.0, -2.0, 1.6, -2.5]], np.float32))


def test_a_record_has_every_field_and_the_mean():
    sample = sampler.Sample('red dress', 'A red dress.', 4, 'end', 5, -2.5)
    assert sample.record() == {'prompt': 'red dress', 'text': 'A red dress.', 'seed': 4,
                               'finish': 'end', 'tokens': 5, 'logprob': -2.5,
                               'logprob_per_token': -0.5}
