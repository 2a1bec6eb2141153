"""A run folder refuses other options, keeps whole checkpoints and says when it shall stop."""

import os
import signal
import time

import numpy as np
import pytest

from dnnlib import files, runs, tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf


def test_options_and_provenance_are_written(tmp_path):
    runs.Run(tmp_path / 'new' / 'run', {'seed': 3, 'sizes': (1, 2)})
    written = files.read_json(tmp_path / 'new' / 'run' / 'options.json')
    assert written['options'] == {'seed': 3, 'sizes': [1, 2]}
    assert written['made']['tensorflow'] == tf.__version__
    assert set(written['made']) == {
        'command', 'commit', 'python', 'tensorflow', 'machine', 'time'}


def test_the_same_options_go_on_and_others_are_refused(tmp_path):
    runs.Run(tmp_path, {'seed': 3, 'sizes': (1, 2), 'kimg': 5}, free=['kimg'])
    runs.Run(tmp_path, {'seed': 3, 'sizes': (1, 2), 'kimg': 9}, free=['kimg'])
    before = files.read_json(tmp_path / 'options.json')
    with pytest.raises(UserError, match='other options: seed was 3, now 4; repeat') as caught:
        runs.Run(tmp_path, {'seed': 4, 'sizes': (1, 2), 'kimg': 9}, free=['kimg'])
    assert 'sizes' not in str(caught.value) and '--run' in str(caught.value)
    with pytest.raises(UserError, match='more was None, now 1'):
        runs.Run(tmp_path, {'seed': 3, 'sizes': (1, 2), 'kimg': 9, 'more': 1}, free=['kimg'])
    assert files.read_json(tmp_path / 'options.json') == before


def test_an_option_that_came_later_was_at_its_default(tmp_path):
    runs.Run(tmp_path, {'seed': 3})
    with pytest.raises(UserError, match='sizes was \\[1, 2\\], now \\[3\\]; repeat'):
        runs.Run(tmp_path, {'seed': 3, 'sizes': (3,)}, defaults={'sizes': (1, 2)})
    runs.Run(tmp_path, {'seed': 3, 'sizes': (1, 2)}, defaults={'seed': 0, 'sizes': (1, 2)})
    with pytest.raises(UserError, match='seed was 3, now 0'):
        runs.Run(tmp_path, {'seed': 0, 'sizes': (1, 2)}, defaults={'seed': 0})


def _save(run, value, position):
    with tf.Graph().as_default(), tflib.session(1) as sess:
        tf.get_variable('x', initializer=np.float32(value))
        sess.run(tf.global_variables_initializer())
        run.prepare_saving()
        tf.get_default_graph().finalize()
        run.save(sess, position)


def test_the_newest_checkpoint_counts_and_two_are_kept(tmp_path):
    assert runs.Run(tmp_path, {}).latest() is None
    for position in (100, 300, 500):
        _save(runs.Run(tmp_path, {}), position / 2, position)  # a new process each time
    latest = runs.Run(tmp_path, {}).latest()
    assert latest.endswith('-500')
    assert tf.train.load_variable(latest, 'x') == 250
    kept = {path.name.split('.')[0] for path in (tmp_path / 'checkpoint').glob('state*')}
    assert kept == {'state-300', 'state-500'}


def test_a_run_that_was_moved_goes_on_and_still_keeps_two(tmp_path):
    for position in (100, 300):
        _save(runs.Run(tmp_path / 'here', {}), position, position)
    (tmp_path / 'here').rename(tmp_path / 'there')
    run = runs.Run(tmp_path / 'there', {})
    assert tf.train.load_variable(run.latest(), 'x') == 300
    _save(run, 500, 500)
    kept = {path.name.split('.')[0] for path in (tmp_path / 'there' / 'checkpoint').glob('state*')}
    assert kept == {'state-300', 'state-500'}


def test_progress_is_cut_back_to_the_restored_position(tmp_path):
    run = runs.Run(tmp_path, {})
    assert run.history() == []
    run.cut_history('step', 0)  # nothing to cut is no mistake
    for step in (1, 2, 3):
        run.log(step=step, loss=step / 8)
    run.cut_history('step', 2)
    assert run.history() == [{'step': 1, 'loss': 0.125}, {'step': 2, 'loss': 0.25}]


def _handlers():
    return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signals_only_ask_to_stop(tmp_path, number):
    run, before = runs.Run(tmp_path, {}), _handlers()
    with run.stoppable():
        assert not run.stopping
        os.kill(os.getpid(), number)
        time.sleep(0.01)  # the handler runs between two lines of Python
        assert run.stopping
    assert _handlers() == before


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    run, before = runs.Run(tmp_path, {}), _handlers()
    with pytest.raises(KeyboardInterrupt):
        with run.stoppable():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
    assert _handlers() == before


def test_interrupted_is_a_keyboard_interrupt():
    assert issubclass(runs.Interrupted, KeyboardInterrupt)
