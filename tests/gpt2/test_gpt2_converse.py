"""A conversation ends with an empty line, and a mistake does not end it."""

import io

from dnnlib.files import UserError
from gpt2 import write
from gpt2.config import Sampling
from gpt2.sampler import Sample


class Writer:
    """Writes its prompt and seed."""

    def samples(self, prompts, *, seeds, sampling):
        if 'bad' in prompts:
            raise UserError('no such thing')
        return [Sample(prompt, f' {seed}', seed, 'end', 1, 0.0)
                for prompt, seed in zip(prompts, seeds)]

    def joined(self, sample):
        return sample.prompt + sample.text


def test_every_line_is_answered_until_an_empty_one(monkeypatch, capsys):
    monkeypatch.setattr('sys.stdin', io.StringIO('red\nbad\n blue \n\nnever\n'))
    write.converse(Writer(), Sampling(seed=5), 2)
    out, err = capsys.readouterr()
    assert out == write.report(['red 5', 'red 6']) + write.report(['blue 9', 'blue 10'])
    assert err == 'error: no such thing\n'


def test_it_ends_with_the_input_and_seeds_go_on_from_0(monkeypatch, capsys):
    monkeypatch.setattr('sys.stdin', io.StringIO('red\n'))
    write.converse(Writer(), Sampling(seed=2 ** 32 - 1), 2)
    assert capsys.readouterr().out == write.report([f'red {2 ** 32 - 1}', 'red 0'])
