import argparse
import dataclasses
import subprocess
import sys

import pytest

from dnnlib import knobs
from dnnlib.files import UserError
from gpt2 import config
from gpt2.config import Network, Sampling, Training


def test_defaults_are_the_released_sizes():
    assert dataclasses.asdict(config.Network()) == {
        'n_vocab': 50257, 'n_ctx': 1024, 'n_embd': 768, 'n_head': 12, 'n_layer': 12}


@pytest.mark.parametrize('preset', sorted(config.PRESETS))
def test_preset_windows_fit(preset):
    network, training = config.PRESETS[preset]
    assert training.window <= network.n_ctx


def test_demo_weights_stay_under_4_megabytes():
    network, _ = config.PRESETS['demo']
    width = network.n_embd
    count = (network.n_vocab + network.n_ctx) * width + network.n_layer * (12 * width + 13) * width
    assert 4 * count < 4 * 2 ** 20


def test_the_preset_of_ten_million_parameters_has_about_as_many():
    network, _ = config.PRESETS['10M']
    width = network.n_embd
    count = (network.n_vocab + network.n_ctx + 2) * width + network.n_layer * (
        12 * width + 13) * width
    assert count == 10556640 and network.n_vocab == config.Network().n_vocab


NAN, INF = float('nan'), float('inf')


@pytest.mark.parametrize('kind, field, values', [
    *[(Network, field, [0, -1, 10 ** 9, 2.0, '2', None, True, [8], 10 ** 400])
      for field in ('n_vocab', 'n_ctx', 'n_embd', 'n_head', 'n_layer')],
    (Network, 'n_vocab', [257]),
    *[(Training, field, [0, -1, 2 ** 31, 'x']) for field in (
        'steps', 'batch', 'window', 'accumulate', 'validate_every', 'sample_every', 'save_every')],
    *[(Training, field, [-1, 2 ** 31]) for field in ('warmup', 'patience', 'threads')],
    *[(Training, field, [-0.1, NAN, INF, '1']) for field in (
        'learning_rate', 'final_rate', 'clip', 'weight_decay', 'dropout', 'held_out')],
    (Training, 'dropout', [1.0]), (Training, 'held_out', [1.0]), (Training, 'window', [1]),
    (Training, 'seed', [-1, 2 ** 32]), (Training, 'pack', ['', 'all']),
    (Training, 'decay', ['', 'cosines']), (Training, 'train_only', ['all']),
    (Sampling, 'temperature', [-1, 1e-9, NAN, INF, '1']), (Sampling, 'top_k', [-1, 99999999999]),
    (Sampling, 'top_p', [0, 1.5, NAN]), (Sampling, 'max_tokens', [-1, 99999999999]),
    (Sampling, 'repetition_penalty', [0, -1, NAN]), (Sampling, 'seed', [-1, 2 ** 32]),
    (Sampling, 'threads', [-1])])
def test_impossible_values_are_refused_in_one_line(kind, field, values):
    for value in values:
        with pytest.raises(UserError, match=field.replace('_', '-')) as error:
            kind(**{field: value})
        assert str(error.value).isprintable() and len(str(error.value)) < 200


def test_numbers_that_do_not_divide_each_other_are_refused():
    with pytest.raises(UserError, match='--n-embd 10 is not a multiple of --n-head 3; 12 is'):
        Network(n_embd=10, n_head=3)
    with pytest.raises(UserError, match='batch of 3 cannot be split into 2'):
        Training(batch=3, accumulate=2)


def test_whole_numbers_will_do_where_fractions_may_be():
    assert Training(learning_rate=0, clip=1, weight_decay=0) == Training(
        learning_rate=0.0, clip=1.0, weight_decay=0.0)


def test_free_knobs_exist():
    assert set(config.FREE) <= {field.name for field in dataclasses.fields(config.Training)}


def test_every_knob_is_a_flag():
    parser = argparse.ArgumentParser()
    knobs.add_flags(parser, Sampling)
    words = '--temperature 0.7 --top-k 0 --top-p 0.9 --repetition-penalty 1.2 --max-tokens 50 '
    typed = parser.parse_args((words + '--trim yes --int8 yes --seed 3 --threads 1').split())
    assert knobs.from_flags(Sampling(), typed) == Sampling(
        0.7, 0, 0.9, 1.2, max_tokens=50, trim=True, int8=True, seed=3, threads=1)
    assert knobs.from_flags(Sampling(), parser.parse_args([])) == Sampling()


def test_options_and_vocabulary_do_without_tensorflow():
    code = 'import sys, gpt2.config, gpt2.encoder; sys.exit("tensorflow" in sys.modules)'
    assert subprocess.call([sys.executable, '-c', code]) == 0
