"""Writing with a trained model: prompts of the form that it knows, texts and records of them."""

import dataclasses
import json
import sys

from dnnlib import tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from gpt2 import data, encoder, snapshots
from gpt2.config import Sampling
from gpt2.sampler import Sampler


class Writer:
    """A trained model, ready to write: load once, call often.

    folder: a snapshot or a run folder, or one in the released layout.
    Raises UserError for anything else.
    """

    def __init__(self, folder, threads=0):
        folder = snapshots.find(folder)
        network, values = snapshots.read(folder)
        self._tagged = snapshots.about(folder).get('tagged', False)
        with tf.Graph().as_default():
            self._sampler = Sampler(network, encoder.load(folder))
            self._session = tflib.session(threads)
            snapshots.assign(self._session, values, folder)
            tf.get_default_graph().finalize()

    def prompt(self, words):
        """Words as a prompt of the form that the model was trained on; a prompt stays as it is."""
        return data.prompt(words) if self._tagged and data.TAG_END not in words else words

    def samples(self, prompts, *, seeds, sampling=Sampling()):
        """Write one text per prompt, until end-of-text, `max_tokens` or n_ctx: list of Sample.

        prompts: list of strings. For a model that was trained with attributes these are some
                 attributes, free order, the category best last: 'red midi dress', or '' for
                 anything; ' -> ' may follow with the beginning of the description. For any other
                 model they are the beginning of the text.
        seeds:   one int in [0, 2**32) per prompt; equal seed, prompt and knobs, equal sample,
                 whatever else is written.
        Raises UserError for a prompt that is too long.
        """
        asked = [self.prompt(prompt) for prompt in prompts]
        samples = self._sampler.samples(self._session, asked, seeds=seeds, sampling=sampling)
        return [sample._replace(prompt=prompt) for sample, prompt in zip(samples, prompts)]

    def joined(self, sample):
        """The prompt of a Sample as the model read it, and the text behind it, in one string."""
        front = self.prompt(sample.prompt)
        if self._tagged:
            front = front.lstrip() if sample.prompt else ''
        return front + sample.text

    def texts(self, prompts, *, seeds, sampling=Sampling(), keep_prompt=False, **some):
        """As `samples`, but the texts alone. Knobs in `some` take the place of `sampling`'s.

        keep_prompt: leave the prompt in front of the text.
        """
        samples = self.samples(prompts, seeds=seeds,
                               sampling=dataclasses.replace(sampling, **some))
        return [self.joined(sample) if keep_prompt else sample.text for sample in samples]


def report(texts):
    """Texts in the form of the post, each under a line `==== SAMPLE 1 ====`."""
    return ''.join('%s SAMPLE %d %s\n%s\n' % ('=' * 40, i, '=' * 40, text)
                   for i, text in enumerate(texts, 1))


def json_lines(samples):
    """Samples as JSON Lines: a record per line, see `Sample.record`."""
    return ''.join(json.dumps(sample.record(), ensure_ascii=False) + '\n' for sample in samples)


def converse(writer, sampling, count):
    """Print `count` texts for every prompt on standard input, until an empty line or its end.

    Seeds are counted on from `sampling.seed`. A UserError is shown, and the next prompt may do
    better.
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
