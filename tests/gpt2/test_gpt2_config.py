import dataclasses
import subprocess
import sys

import pytest

from dnnlib.files import UserError
from gpt2 import config


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


@pytest.mark.parametrize('make', [
    lambda: config.Training(dropout=1.0), lambda: config.Training(dropout=-0.1),
    lambda: config.Network(n_embd=10, n_head=3), lambda: config.Network(n_vocab=257),
    lambda: config.Training(batch=0), lambda: config.Training(held_out=1.0)])
def test_impossible_values_are_refused_in_one_line(make):
    with pytest.raises(UserError) as error:
        make()
    assert '\n' not in str(error.value)


def test_free_knobs_exist():
    assert set(config.FREE) <= {field.name for field in dataclasses.fields(config.Training)}


def test_options_and_vocabulary_do_without_tensorflow():
    code = 'import sys, gpt2.config, gpt2.encoder; sys.exit("tensorflow" in sys.modules)'
    assert subprocess.call([sys.executable, '-c', code]) == 0
