"""Rows of the text model in the size of the release (random weights), of encoding and of starting.

`transformers` on PyTorch is timed beside ours where both are installed.
"""

import subprocess
import sys

import numpy as np

from bench.row import Row, Work
from dnnlib.files import UserError

_SAMPLED = 40  # top-k, of both


class _Ids:
    """Stands in for an Encoder where texts are only counted."""

    end = 50256

    def decode(self, ids):
        """A text for the ids: none."""
        return ''


def _theirs(threads):
    """transformers' 124M with random weights, and torch."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise UserError(f'{error.name} is not installed; pip install torch==2.13.0 transformers')
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(0)
    return transformers.GPT2LMHeadModel(transformers.GPT2Config()), torch


def _bytes_and_flops(network, count, tokens, weight=4):
    """(bytes to read, floating-point operations) of sampling `tokens` each for `count` texts.

    Per token position all weights but the positional embedding are read once, each of `weight`
    bytes; a text of p tokens reads p keys and values in every layer.
    """
    weights = network.n_vocab * network.n_embd + 12 * network.n_layer * network.n_embd ** 2
    keys = 2 * network.n_layer * network.n_embd * count * tokens / 2
    return tokens * (weight * weights + 4 * keys), 2 * tokens * count * weights + 2 * keys * tokens


def sampling(threads, count=1, tokens=128, bfloat16=False, library='', use_int8=False):
    """Sample `count` texts of `tokens` each with a 124M model, all at once."""
    from gpt2.config import Network, Sampling, shapes
    traffic, flops = _bytes_and_flops(Network(), count, tokens, 1 if use_int8 else 4)
    if library:
        model, torch = _theirs(threads)
        model = model.eval().to(torch.bfloat16 if bfloat16 else torch.float32)
        model.generation_config.pad_token_id = _Ids.end
        start = torch.full((count, 1), _Ids.end)

        def run():
            with torch.no_grad():
                model.generate(start, attention_mask=torch.ones_like(start), do_sample=True,
                               top_k=_SAMPLED, min_new_tokens=tokens, max_new_tokens=tokens)
        return Work(run, count * tokens, flops, traffic)
    from dnnlib import tflib
    from dnnlib.tflib import tf
    from gpt2 import int8, packed
    from gpt2.sampler import Sampler
    tflib.check_int8(use_int8)
    with tf.Graph().as_default():
        session = tflib.session(threads)
        weights = (int8 if use_int8 else packed).Variables(Network())
        # As many as no row of the embedding repeats another: ties would be sorted.
        noise = np.random.RandomState([0]).standard_normal(10 ** 6 + 3).astype(np.float32) * 0.02
        values = {name: np.resize(noise, shape) for name, shape in shapes(Network()).items()}
        weights.assign(session, values)
        sampler = Sampler(Network(), _Ids(), weights.by_name)
        tflib.assign(session, {v.op.name: values[v.op.name] for v in tf.trainable_variables()})
    config = Sampling(temperature=1.0, top_k=_SAMPLED, max_tokens=tokens, batch=count)

    def run():
        found = sampler.samples(session, [[]] * count, seeds=range(count), sampling=config)
        assert sum(sample.tokens for sample in found) > 0.9 * count * tokens
    return Work(run, count * tokens, flops, traffic)


def finetuning(threads, bfloat16=False, library=''):
    """An update of Adam on one window of 1,024 tokens with a 124M model."""
    from gpt2.config import Network, Training
    tokens = np.random.RandomState([0]).randint(50256, size=[1, 1025]).astype(np.int64)
    flops = 6 * 1024 * _bytes_and_flops(Network(), 1, 1)[1] / 2
    if library:
        model, torch = _theirs(threads)
        optimiser = torch.optim.Adam(model.parameters(), lr=2e-5)
        window = torch.from_numpy(tokens)

        def run():
            with torch.autocast('cpu', torch.bfloat16, enabled=bfloat16):
                loss = model(window[:, :-1], labels=window[:, :-1]).loss
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return Work(run, 1024, flops)
    from dnnlib import tflib
    from dnnlib.tflib import tf
    from gpt2 import model, train
    tflib.check_bfloat16(bfloat16)
    with tf.Graph().as_default():
        graph = train.Graph(Network(), Training(bfloat16=bfloat16), _Ids())
        session = tflib.session(threads)
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        tflib.assign(session, model.initial(graph.weights, 0))
    feed = {graph.tokens: tokens, graph.rate: 2e-5}
    return Work(lambda: graph.update.run(session, [feed]), 1024, flops)


def encoding(threads, count=100000):
    """Encode 100,000 descriptions of 40 words with a vocabulary trained on some of them."""
    from gpt2 import encoded, encoder
    rng = np.random.RandomState([0])
    words = [''.join(rng.choice(list('abcdefghijklmnopqrstuvwxyz'), size)) for size in
             rng.randint(2, 10, size=3000)]
    texts = [' '.join(chosen) + '.' for chosen in rng.choice(words, [count, 40])]
    vocabulary = encoder.train(texts[:2000], 5000)
    return Work(lambda: encoded.encode(texts, vocabulary))


def command(threads, arguments=('--help',)):
    """A whole process of run.py."""
    return Work(lambda: subprocess.run([sys.executable, 'run.py', *arguments], check=True,
                                       stdout=subprocess.DEVNULL))


def _beside(**arguments):
    """Variants: ours in fp32 and with int8 weights, and transformers in fp32 and bfloat16."""
    theirs = dict(arguments, library='transformers')
    return {'': arguments, 'int8': dict(arguments, use_int8=True), 'transformers': theirs,
            'transformers bfloat16': dict(theirs, bfloat16=True)}


ROWS = {f'text-{count}': Row(sampling, 'tokens/s', _beside(count=count, tokens=tokens))
        for count, tokens in ((1, 128), (2, 128), (4, 128), (8, 256), (16, 128), (32, 128),
                              (64, 128))}
ROWS.update({
    'text-8-long': Row(sampling, 'tokens/s', {'': dict(count=8, tokens=1000)}),
    'finetuning': Row(finetuning, 'tokens/s', {
        '': {}, 'bfloat16': dict(bfloat16=True), 'transformers': dict(library='transformers'),
        'transformers bfloat16': dict(library='transformers', bfloat16=True)}),
    'encoding': Row(encoding, 's'),
    'help': Row(command, 's', quick=True),
})
