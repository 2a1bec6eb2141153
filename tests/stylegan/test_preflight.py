"""What a training will take is measured; running out of memory ends in advice."""

import os

import numpy as np
import pytest
import toy_stylegan

from dnnlib.files import UserError
from dnnlib.tflib import tf
from stylegan import preflight, schedule
from stylegan.config import Network, Training
from stylegan.graph import Graph


def test_the_advice_names_what_was_too_much():
    at = schedule.position(10 ** 9, Network(), Training())
    with pytest.raises(UserError, match='out of memory at 512 px with a minibatch of 4; add '
                                        '--accumulate 2'):
        with preflight.memory_advice(at):
            raise tf.errors.ResourceExhaustedError(None, None, 'OOM')


def test_other_errors_pass():
    at = schedule.position(0, Network(), Training())
    with pytest.raises(ZeroDivisionError):
        with preflight.memory_advice(at):
            raise ZeroDivisionError


def test_the_peak_grows_with_what_is_held():
    before, gpu = preflight.peak_memory()
    held = np.ones([64, 2 ** 20], np.float64)  # half a GiB
    after, _ = preflight.peak_memory()
    assert held.sum() > 0 and 0.05 < before <= after and after >= 0.5 and gpu >= 0


@pytest.mark.parametrize('told, gib', [('1024', 1), ('[N/A]', 0)])
def test_the_memory_on_a_gpu_is_what_the_driver_tells(monkeypatch, told, gib):
    table = f'{os.getpid()}, {told}\n1, 2048\n'.encode()
    monkeypatch.setattr(preflight.subprocess, 'check_output', lambda *command, **more: table)
    assert preflight.peak_memory()[1] == gib


@pytest.mark.slow
def test_preflight_measures_the_full_size():
    network = toy_stylegan.network(resolution=16)
    facts = preflight.preflight(network, Training(kimg=40, minibatch=4, tick_kimg=10, grid=4,
                                                  snapshot_ticks=2, threads=1), packed=1000)
    assert (facts['resolution'], facts['minibatch'], facts['parts']) == (16, 4, 1)
    assert facts['seconds_per_kimg'] > 0 and facts['gib'] > 0.05
    assert facts['hours'] == pytest.approx(facts['seconds_per_kimg'] * 40 / 3600)
    with Graph(network, Training(minibatch=4, threads=1), res=16, minibatch=4) as graph:
        sizes = graph.sizes()
    assert facts['sizes'] == sizes and sizes['G'] < sizes['Gs'] < sizes['all']
    assert preflight.checkpoint_bytes(network) == pytest.approx(4 * sizes['all'], rel=0.01)
    grids, snapshots = 2 * 4 * 4 * 16 * 16 * 3, 3 * 4 * sizes['Gs']
    assert facts['disk_gib'] * 2 ** 30 == pytest.approx(
        1000 + 3 * 4 * sizes['all'] + snapshots + grids)
    assert 'minibatch 4 in 1 part(s)' in preflight.report(facts)
