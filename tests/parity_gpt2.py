"""How far our GPT-2 is from the numbers recorded from the released program, for `parity`."""

import collections
import pathlib

import numpy as np
import oracle_gpt2 as oracle
from parity_row import Row, error

from dnnlib import tflib
from dnnlib.tflib import tf
from gpt2 import cache, formats, model, train
from gpt2.config import Network, Sampling, Training
from gpt2.sampler import Filters, candidates

NETWORK = Network(n_vocab=509, n_ctx=48, n_embd=64, n_head=4, n_layer=3)
# Tolerances of a float32 implementation, from the notes that came with the numbers.
LOGITS, LOSS, GRADIENT, EXACT = 2e-4, 1e-5, 1e-4, 0

MODEL = pathlib.Path(__file__).parent / 'data' / 'gpt2' / 'toy_model'  # written by that program

_Vocabulary = collections.namedtuple('Vocabulary', 'end')
_END = NETWORK.n_vocab - 1  # in no recorded text


def _kept(logits, top_k=0, top_p=1.0):
    """Which tokens [n, v] the filters leave."""
    with tf.Graph().as_default(), tflib.session(1) as sess:
        probabilities, ids = sess.run(candidates(tf.constant(logits), Filters(
            tf.constant(1.0), tf.constant(top_k), tf.constant(top_p))))
    result = np.zeros(logits.shape, bool)
    np.put_along_axis(result, ids, probabilities > 0, axis=1)
    return result


def filters(recorded):
    """Top-k as released; a nucleus as released and, if its mass is below p, the next likeliest."""
    logits = recorded['filter_logits']
    theirs = recorded['top_k_40'] > -1e9
    yield Row('GPT-2: top-k 40, tokens that differ', error(_kept(logits, top_k=40), theirs), EXACT)
    for p in (0.1, 0.5, 0.9, 0.99):
        wanted = recorded[f'top_p_{p:g}'] > -1e9
        short = np.where(wanted, oracle.softmax(logits), 0).sum(1) < p
        following = np.where(wanted, -np.inf, logits).argmax(1)
        wanted[short, following[short]] = True
        yield Row(f'GPT-2: top-p {p:g}, tokens that differ',
                  error(_kept(logits, top_p=p), wanted), EXACT)


def _two_updates(sess, graph, tokens, recorded):
    """Adam divides by the size of the gradient, so where that is next to nothing, or changes its
    sign between the two updates, rounding decides: there a weight may differ by a step."""
    for _ in range(2):
        graph.update.run(sess, [{graph.tokens: tokens, graph.rate: 2e-5}])
    plain, others = [], []
    for variable, value in zip(graph.weights, sess.run(graph.weights)):
        gradient = np.abs(recorded['grad/' + variable.op.name])
        different = np.abs(value - recorded['adam2/' + variable.op.name])
        plain.append(different[gradient > 0.1 * gradient.max()].max())
        others.append(np.mean(different > 1e-6))
    yield Row('GPT-2: weights after two updates', float(max(plain)), 1e-6)
    yield Row('GPT-2: fraction of weights that rounding decides', float(max(others)), 0.1)


def toy(recorded):
    """Logits, cache, loss, gradients, greedy tokens, two updates of Adam, and the filters."""
    tokens, prompts = recorded['tokens'].astype(np.int32), recorded['greedy_prompt']
    rows = []
    with tf.Graph().as_default(), tflib.session(1) as sess:
        graph = train.Graph(NETWORK, Training(window=tokens.shape[1] - 1), _Vocabulary(_END))
        logits, present = model.model(tf.constant(tokens), NETWORK)
        positions = tf.tile([tf.range(40)], [3, 1])
        _, head = model.model(tf.constant(tokens[:, :25]), NETWORK,
                              cache=cache.empty(NETWORK, 3, 40), positions=positions[:, :25])
        tail, _ = model.model(tf.constant(tokens[:, 25:]), NETWORK, cache=head,
                              positions=positions[:, 25:])
        gradients = [tf.convert_to_tensor(g) for g in tf.gradients(graph.loss, graph.weights)]
        sess.run(tf.global_variables_initializer())
        tflib.assign(sess, formats.read_released(MODEL, NETWORK))
        found = sess.run({'logits': logits, 'present': tf.stack(present, axis=1), 'tail': tail,
                          'loss': graph.loss, 'gradients': gradients}, {graph.tokens: tokens})
        for what, key, recorded_as in (
                ('logits', 'logits', 'logits'), ('keys and values', 'present', 'present'),
                ('logits with a cache', 'tail', 'logits_tail_with_past')):
            rows.append(Row('GPT-2: ' + what, error(found[key], recorded[recorded_as]), LOGITS))
        rows.append(Row('GPT-2: loss', error(found['loss'], recorded['loss']), LOSS))
        wanted = [recorded['grad/' + variable.op.name] for variable in graph.weights]
        rows.append(Row('GPT-2: gradients, of the largest of each variable', max(
            error(ours, theirs) / np.abs(theirs).max()
            for ours, theirs in zip(found['gradients'], wanted)), GRADIENT))
        written = graph.sampler._batch(sess, prompts.tolist(), range(len(prompts)),
                                       Sampling(temperature=0, max_tokens=12))
        rows.append(Row('GPT-2: greedy tokens', error(
            [ids for ids, _ in written], recorded['greedy_tokens'][:, prompts.shape[1]:]), EXACT))
        rows += _two_updates(sess, graph, tokens, recorded)
    return rows + list(filters(recorded))


# (what, the recorded file in tests/data, function of that file's content)
COMPARISONS = [('gpt2', 'gpt2/toy.npz', toy)]
