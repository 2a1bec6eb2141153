import pathlib

import numpy as np
import oracle_gpt2 as oracle
import pytest

from dnnlib import tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from gpt2 import decode, encoder, model, weights
from gpt2.config import Network

VOCABULARY = encoder.train(['a red dress', 'a blue dress', 'a red skirt'], 270)
SMALL = Network(n_vocab=VOCABULARY.size, n_ctx=24, n_embd=16, n_head=2, n_layer=2)
RECORDED = pathlib.Path(__file__).parents[2] / 'shared' / 'parity' / 'gpt2'
PROMPTS = ['', 'a', 'a red dress', 'skirt', 'blue blue', 'dress a', 'r', 'a red', 'red', 'b', 'aa']


def settings(temperature=1.0, top_k=0, top_p=1.0):
    return decode.Settings(temperature, top_k, top_p)


@pytest.fixture(scope='module')
def values():
    """Weights large enough that texts differ and some of them end."""
    with tf.Graph().as_default():
        model.model(tf.zeros([1, 2], tf.int32), SMALL)
        values = model.initial(tf.trainable_variables(), 3)
    return {name: value * (1 if name.endswith('/g') else 12) for name, value in values.items()}


@pytest.fixture(scope='module')
def folder(values, tmp_path_factory):
    folder = tmp_path_factory.mktemp('snapshot')
    weights.write(folder, SMALL, values, VOCABULARY, {})
    return folder


@pytest.fixture(scope='module')
def writer(folder):
    return decode.Writer(folder, threads=1)


def kept(logits, **some):
    """Probabilities by id [n, v] after the filters."""
    with tf.Graph().as_default(), tflib.session(1) as sess:
        chosen = decode.Settings(*map(tf.constant, settings(**some)))
        probabilities, ids = sess.run(decode.candidates(tf.constant(logits), chosen))
    assert np.all(np.diff(probabilities, axis=1) <= 0)
    result = np.zeros_like(probabilities)
    np.put_along_axis(result, ids, probabilities, axis=1)
    return result


LOGITS = np.log(np.array([[0.5, 0.1, 0.2, 0.1, 0.1], [0.05, 0.05, 0.8, 0.06, 0.04]], np.float32))


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


def test_draws_come_as_often_as_their_probability():
    n = 1000
    with tf.Graph().as_default(), tflib.session(1) as sess:
        uniform = tf.constant(((np.arange(n) + 0.5) / n).astype(np.float32))
        logits = tf.constant(np.repeat(LOGITS[:1], n, axis=0))
        chosen = decode.Settings(*map(tf.constant, settings(top_k=2)))
        ids = sess.run(decode._draw(logits, chosen, uniform))
        highest = sess.run(decode._draw(logits[:1], chosen, tf.constant([1.0])))
    share = np.bincount(ids, minlength=5) / n
    np.testing.assert_allclose(share, [5 / 7, 0, 2 / 7, 0, 0], atol=2 / n)
    assert highest[0] == 2  # rounding up to 1 draws the last that is left, not one ruled out


def test_the_best_tokens_are_the_oracles(writer, values):
    """Temperature 0 against the longest way round: the whole text anew for each token."""
    texts = writer.texts(PROMPTS, seeds=range(len(PROMPTS)), temperature=0, max_tokens=8)
    named = {name[len('model/'):]: value for name, value in values.items()}
    for prompt, text in zip(PROMPTS, texts):
        ids = [VOCABULARY.end] + VOCABULARY.encode(prompt)
        start = len(ids)
        while len(ids) < start + 8 and (ids[-1] != VOCABULARY.end or len(ids) == start):
            ids.append(int(np.argmax(oracle.logits(named, ids, heads=2, layers=2)[-1])))
        assert text == VOCABULARY.decode(ids[start:]), prompt


def test_a_text_does_not_depend_on_its_neighbours(writer):
    together = writer.texts(PROMPTS, seeds=list(range(len(PROMPTS))), top_k=40)
    alone = [writer.texts([prompt], seeds=[seed], top_k=40)[0]
             for seed, prompt in enumerate(PROMPTS)]
    backwards = writer.texts(PROMPTS[::-1], seeds=list(range(len(PROMPTS)))[::-1], top_k=40)
    assert together == alone == backwards[::-1]
    assert len(set(together)) > len(PROMPTS) / 2


def test_seeds_decide(writer):
    first, again = [writer.texts(['a'] * 4, seeds=[1, 2, 1, 3]) for _ in range(2)]
    assert first == again and first[0] == first[2] and first[0] != first[1]


def test_length_limit_and_end_of_text(writer):
    """Eleven tokens at most, and these are the first of what comes with more room."""
    long, short = [
        writer._sampler._batch(writer._session, [[VOCABULARY.end]] * 8, range(8), settings(), room)
        for room in (99, 11)]
    assert short == [ids[:11] for ids in long]
    assert max(map(len, long)) <= SMALL.n_ctx - 1
    assert all(VOCABULARY.end not in ids for ids in long)


def test_end_of_text_ends(values, tmp_path):
    """A model whose best token is always end-of-text writes nothing."""
    spoilt = dict(values, **{'model/ln_f/g': values['model/ln_f/g'] * 0,
                             'model/ln_f/b': values['model/wte'][VOCABULARY.end] * 100})
    weights.write(tmp_path, SMALL, spoilt, VOCABULARY, {})
    assert decode.Writer(tmp_path).texts(['', 'a red'], seeds=[1, 2]) == ['', '']


def test_the_prompt_is_dropped_or_kept_once(writer):
    dropped, = writer.texts(['a red'], seeds=[5])
    kept_too, = writer.texts(['a red'], seeds=[5], keep_prompt=True)
    assert kept_too == 'a red' + dropped


def test_prompts_of_a_model_with_attributes(folder, values, tmp_path):
    """Words get the arrow they had in training; what has one is taken as it stands."""
    weights.write(tmp_path, SMALL, values, VOCABULARY, {'tagged': True})
    tagged, plain = decode.Writer(tmp_path, threads=1), decode.Writer(folder, threads=1)
    asked = [' red dress -> ', ' red -> A', ' -> ']
    wanted = plain.texts(asked, seeds=[4, 4, 4])
    assert [tagged.prompt(words) for words in ('red dress', ' red -> A', '')] == asked
    assert tagged.texts(['red dress ', ' red -> A', ''], seeds=[4, 4, 4]) == wanted
    assert tagged.texts(['red dress', ' red -> A', ''], seeds=[4, 4, 4], keep_prompt=True) == [
        'red dress -> ' + wanted[0], 'red -> A' + wanted[1], wanted[2]]


def test_impossible_wishes_are_refused(writer):
    for wish in (dict(temperature=-1), dict(top_p=0), dict(top_p=1.5), dict(top_k=-1)):
        with pytest.raises(UserError):
            writer.texts(['a'], seeds=[0], **wish)
    with pytest.raises(UserError):
        writer.texts(['dress ' * 30], seeds=[0])


def test_report_has_the_form_of_the_post():
    line = '=' * 40
    assert decode.report(['one', 'two\nlines']) == (
        line + ' SAMPLE 1 ' + line + '\none\n' + line + ' SAMPLE 2 ' + line + '\ntwo\nlines\n')


def test_recorded_greedy_tokens(recorded):
    network, values = weights.read(RECORDED / 'toy_model')
    prompts, wanted = recorded['greedy_prompt'], recorded['greedy_tokens'][:, 10:]
    with tf.Graph().as_default(), tflib.session(1) as sess:
        sampler = decode.Sampler(network, encoder.train(['none of these tokens is read'], 258))
        weights.assign(sess, values, 'toy')
        ours = sampler._batch(sess, prompts.tolist(), [0, 1, 2], settings(temperature=0), 12)
    assert 257 not in wanted  # the end-of-text of that little vocabulary
    np.testing.assert_array_equal(ours, wanted)


def test_recorded_filters(recorded):
    """Top-k as released; a nucleus holds the released one and, where there is more, one token."""
    logits = recorded['filter_logits']
    np.testing.assert_array_equal(kept(logits, top_k=40) > 0, recorded['top_k_40'] > -1e9)
    for p in (0.1, 0.5, 0.9, 0.99):
        ours, theirs = kept(logits, top_p=p) > 0, recorded['top_p_%g' % p] > -1e9
        assert np.all(ours >= theirs)
        assert set((ours.sum(axis=1) - theirs.sum(axis=1)).tolist()) <= {0, 1}
        crossing = np.where(theirs, oracle.softmax(logits), 0).sum(axis=1) < p
        np.testing.assert_array_equal(ours.sum(axis=1) > theirs.sum(axis=1), crossing)
