"""Writing with a trained model: its prompt format, texts, and how they are printed and recorded."""

import dataclasses
import json
import re
import sys

from dnnlib import tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from gpt2 import data, int8, packed, snapshots
from gpt2.config import Sampling
from gpt2.sampler import Sampler

_CONTROL = re.compile('[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]')  # all but tab and newline


class Writer:
    """A trained model, ready to sample from: load once, call often.

    path: of a snapshot or a run folder, or of a model in the layout of another program.
    use_int8: sample with int8 weights. Attribute: path.
    Raises UserError for anything else, and as `tflib.check_int8` does.
    """

    def __init__(self, path, threads=0, use_int8=False):
        tflib.check_int8(use_int8)
        self.path, snapshot = path, snapshots.read(path)
        self._tagged = snapshot.facts.get('tagged', False)
        self._encoder = snapshot.encoder
        with tf.Graph().as_default():
            self._session = tflib.session(threads)
            weights = (int8 if use_int8 else packed).Variables(snapshot.network)
            weights.assign(self._session, snapshot.weights)  # while the graph is small: 2 s less
            self._sampler = Sampler(snapshot.network, snapshot.encoder, weights.by_name)
            tf.get_default_graph().finalize()
            tflib.assign(self._session, {v.op.name: snapshot.weights[v.op.name]
                                         for v in tf.trainable_variables()})

    def prompt(self, words):
        """Words in the prompt format that the model was trained on.

        Of a model with attributes these are attributes; `->` and the beginning of the description
        may follow. Spaces around them do not matter.
        """
        if not self._tagged:
            return words
        attributes, _, start = words.partition(data.ARROW.strip())
        return data.prompt(attributes) + start.lstrip(' ')

    def samples(self, prompts, *, seeds, sampling=Sampling()):
        """A Sample per prompt: a text until end-of-text, `max_tokens` or n_ctx.

        prompts: list of strings. For a model that was trained with attributes these are attributes
                 in any order, the category best last: 'red midi dress', or '' for anything; ' -> '
                 may follow with the beginning of the description. For any other model they are the
                 beginning of the text.
        seeds:   one int in [0, 2**32) per prompt. Equal seed, prompt and `sampling` give an equal
                 Sample, whatever else is sampled.
        Raises UserError for a prompt that is too long.
        """
        ids = [data.prompt_ids(self.prompt(words), self._encoder) if self._tagged
               else self._encoder.encode(words) for words in prompts]
        samples = self._sampler.samples(self._session, ids, seeds=seeds, sampling=sampling)
        return [sample._replace(prompt=words) for sample, words in zip(samples, prompts)]

    def joined(self, sample):
        """The prompt of a Sample as the model read it, and its text, in one string."""
        front = self.prompt(sample.prompt)
        if self._tagged:
            front = front.lstrip() if sample.prompt else ''
        return front + sample.text

    def texts(self, prompts, *, seeds, sampling=Sampling(), **knobs):
        """As `samples`, but the texts alone. `knobs` replace those of `sampling`."""
        samples = self.samples(prompts, seeds=seeds,
                               sampling=dataclasses.replace(sampling, **knobs))
        return [sample.text for sample in samples]


def redraw_seed(seed, attempt):
    """The seed of the text that replaces a contradicting one; `seed` itself at first."""
    return (int(seed) + attempt * 1000003) % 2 ** 32


def redrawn(sampling, attempt):
    """The Sampling for a further attempt: it chooses words more freely, for the same choice would
    give the same text again."""
    return dataclasses.replace(sampling, temperature=max(
        sampling.temperature, min(1.0, sampling.temperature + 0.15 * attempt)))


def printable(text):
    """A text with control characters as escapes: a model can write any, and terminals obey them."""
    return _CONTROL.sub(lambda match: f'\\x{ord(match.group()):02x}', text)


def report(texts, first=1):
    """Texts as the post showed them, printable, each below a line `==== SAMPLE 1 ====`.

    first: the number of the first one.
    """
    rule = '=' * 40
    return ''.join(f'{rule} SAMPLE {i} {rule}\n{printable(text)}\n'
                   for i, text in enumerate(texts, first))


def json_lines(samples):
    """Samples as JSON Lines: a record per line, see `Sample.record`."""
    return ''.join(json.dumps(sample.record(), ensure_ascii=False) + '\n' for sample in samples)


def converse(writer, sampling, count):
    """Print `count` texts for each prompt on standard input, until an empty line or its end.

    Seeds are counted up from `sampling.seed`. A UserError is printed and does not end the loop.
    """
    seed = sampling.seed
    while True:
        try:
            prompt = input('prompt> ' if sys.stdin.isatty() else '').strip()
        except EOFError:
            return
        if not prompt:
            return
        try:
            samples = writer.samples([prompt] * count, sampling=sampling,
                                     seeds=[(seed + i) % 2 ** 32 for i in range(count)])
            print(report(writer.joined(sample) for sample in samples), end='', flush=True)
        except UserError as error:
            print(f'error: {error}', file=sys.stderr)
        seed += count
