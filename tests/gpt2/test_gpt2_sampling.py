import argparse
import subprocess
import sys

import pytest

from dnnlib import knobs
from dnnlib.files import UserError
from gpt2.config import Sampling
from gpt2.sampler import Sample


@pytest.mark.parametrize('some', [
    dict(temperature=-1), dict(top_k=-1), dict(top_p=0), dict(top_p=1.5), dict(max_tokens=-1),
    dict(repetition_penalty=0), dict(seed=-1), dict(seed=2 ** 32), dict(threads=-1)])
def test_impossible_wishes_are_refused_in_one_line(some):
    with pytest.raises(UserError) as error:
        Sampling(**some)
    assert '\n' not in str(error.value)


def test_every_knob_is_a_flag():
    parser = argparse.ArgumentParser()
    knobs.add_flags(parser, Sampling)
    words = '--temperature 0.7 --top-k 0 --top-p 0.9 --repetition-penalty 1.2 --max-tokens 50 '
    typed = parser.parse_args((words + '--trim yes --seed 3 --threads 1').split())
    assert knobs.from_flags(Sampling(), typed) == Sampling(0.7, 0, 0.9, 1.2, 50, True, 3, 1)
    assert knobs.from_flags(Sampling(), parser.parse_args([])) == Sampling()


def test_a_record_has_every_field_and_the_mean():
    sample = Sample('red dress', 'A red dress.', 4, 'end', 5, -2.5)
    assert sample.record() == {'prompt': 'red dress', 'text': 'A red dress.', 'seed': 4,
                               'finish': 'end', 'tokens': 5, 'logprob': -2.5,
                               'logprob_per_token': -0.5}


def test_options_do_without_tensorflow():
    code = 'import sys, gpt2.config; sys.exit("dnnlib.tflib" in sys.modules)'
    assert subprocess.call([sys.executable, '-c', code]) == 0
