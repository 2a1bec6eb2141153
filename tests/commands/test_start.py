"""What train-stylegan starts from where --start is not typed."""

import argparse
import dataclasses

import numpy as np
import pytest
import toy_stylegan

from commands import training
from dnnlib import archive, files
from dnnlib.files import UserError
from stylegan import config, snapshots
from stylegan.graph import Graph

CONFIG = dataclasses.replace(config.PRESETS['demo'][0], resolution=8, latent_size=6, fmap_max=4)


@pytest.fixture(scope='module')
def weights():
    with Graph(CONFIG, config.Training(threads=1), res=8, minibatch=4) as graph:
        graph.start(None)
        return graph.snapshot(everything=True)


@pytest.fixture
def pretrained(tmp_path, monkeypatch, weights):
    """A pretrained network of 8 px -> its path."""
    monkeypatch.setattr(training, 'PRETRAINED', tmp_path)
    path = tmp_path / 'stylegan' / 'network-snapshot-000001.npz'
    snapshots.save(path, weights, CONFIG, res=8, alpha=1.0, kimg=1, made={})
    return path


def _options(tmp_path, *words):
    parser = argparse.ArgumentParser()
    training.train_stylegan_options(parser)
    return parser.parse_args(list(words) + ['--run', str(tmp_path / 'run')])


def _networks(tmp_path, *words):
    return training._networks(config, _options(tmp_path, *words))


def test_the_demo_preset_starts_from_the_pretrained_networks(tmp_path, pretrained, weights):
    network, how, start, notice = _networks(tmp_path)
    assert network == CONFIG and how.initial == 8
    assert set(start) == set(weights) and np.array_equal(start['D/4x4/Dense1/bias'], [0])
    assert notice.startswith('starting from network-snapshot-000001.npz; --start none')
    assert _networks(tmp_path, '--fmap-max', '4')[2] is not None


@pytest.mark.parametrize('words', [('--start', 'none'), ('--preset', 'dress'), ('--initial', '8'),
                                   ('--resolution', '32'), ('--fmap-max', '5')])
def test_random_weights_are_taken_instead(tmp_path, pretrained, words):
    network, _, start, notice = _networks(tmp_path, *words)
    preset = config.PRESETS['dress' if 'dress' in words else 'demo'][0]
    assert start is None and network.latent_size == preset.latent_size
    assert bool(notice) == (words[0] in ('--resolution', '--fmap-max'))


def test_without_growing_another_resolution_is_trained_at_once(tmp_path, pretrained):
    for words in (('--resolution', '128'), ('--resolution', '128', '--start', 'none')):
        network, how, start, _ = _networks(tmp_path, *words)
        assert start is None and network.resolution == how.initial == 128
    assert _networks(tmp_path, '--resolution', '128', '--initial', '64')[1].initial == 64
    assert _networks(tmp_path, '--preset', 'dress', '--resolution', '64')[1].initial == 8


def test_a_training_that_ends_while_it_grows_says_so(tmp_path):
    network, how, _, _ = _networks(tmp_path, '--preset', 'dress', '--kimg', '1000')
    assert training._ends_growing(network, how) == (
        '--kimg 1000 ends at 16 of 512 px; to grow to the end, type --kimg 7200, or begin larger '
        'with --initial')
    long = dataclasses.replace(how, kimg=7200)
    assert not training._ends_growing(network, long)
    assert '--kimg 7199.9 ends' in training._ends_growing(
        network, dataclasses.replace(how, kimg=7199.9))


def test_a_start_that_never_grew_cannot_begin_smaller(tmp_path, pretrained, weights):
    alone = {name: value for name, value in weights.items() if '4x4/FromRGB' not in name}
    snapshots.save(pretrained, alone, CONFIG, res=8, alpha=1.0, kimg=1, made={})
    with pytest.raises(UserError, match='no layers to begin at 4 px with; leave --initial out'):
        _networks(tmp_path, '--start', str(pretrained), '--initial', '4')


def test_a_run_goes_on_as_it_began(tmp_path, pretrained):
    for start, random in (('', True), ('0123456789abcdef', False)):
        files.write_json(tmp_path / 'run' / 'options.json', {'options': {'start': start}})
        assert (_networks(tmp_path)[2] is None) == random


def test_a_run_goes_on_after_another_network_was_pretrained(tmp_path, pretrained, weights):
    begun = dict(dataclasses.asdict(CONFIG), start='0123456789abcdef')
    files.write_json(tmp_path / 'run' / 'options.json', {'options': begun})
    options = _options(tmp_path)
    assert training._noted_start(options, weights) == archive.digest(weights)  # no checkpoint yet
    files.write_json(tmp_path / 'run' / 'checkpoint.json', {})
    snapshots.save(pretrained, weights, dataclasses.replace(CONFIG, mbstd_group=2), res=8,
                   alpha=1.0, kimg=1, made={})
    network, _, start, notice = training._networks(config, options)
    assert network == CONFIG and not notice
    assert training._noted_start(options, start) == '0123456789abcdef'
    assert training._noted_start(options, None) == ''  # with another preset: refused by --start
    options = _options(tmp_path, '--start', str(pretrained))  # typed, it is another one
    assert training._networks(config, options)[0].mbstd_group == 2
    assert training._noted_start(options, start) == archive.digest(start) != '0123456789abcdef'


def test_a_pretrained_generator_alone_is_nothing_to_start_from(tmp_path, pretrained, weights):
    alone = {name: value for name, value in weights.items() if name.startswith('Gs/')}
    snapshots.save(pretrained, alone, CONFIG, res=8, alpha=1.0, kimg=1, made={})
    assert _networks(tmp_path)[2] is None
    with pytest.raises(UserError, match='lacks D/8x8/FromRGB/weight'):
        _networks(tmp_path, '--start', str(pretrained))


def test_nothing_shipped_is_nothing_to_start_from(tmp_path, monkeypatch):
    monkeypatch.setattr(training, 'PRETRAINED', tmp_path)
    assert _networks(tmp_path)[2] is None


def test_what_is_typed_decides(tmp_path, pretrained):
    toy_stylegan.snapshot(tmp_path / 'a.npz', res=8)
    with pytest.raises(UserError, match=r'a.npz has only grown to 8 of 16 px'):
        _networks(tmp_path, '--start', str(tmp_path / 'a.npz'))
    with pytest.raises(UserError, match='has --fmap-max 4, not 5; leave that option out'):
        _networks(tmp_path, '--start', str(pretrained), '--fmap-max', '5')
