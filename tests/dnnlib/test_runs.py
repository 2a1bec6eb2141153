"""A run folder refuses other options and other processes, and whole checkpoints survive damage."""

import os
import signal
import time

import numpy as np
import pytest

from dnnlib import files, runs, tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf


def _begin(*arguments, **more):
    """A run whose training has begun."""
    run = runs.Run(*arguments, **more)
    with run.writing():
        return run


def test_options_and_provenance_are_written_when_training_begins(tmp_path):
    folder = tmp_path / 'new' / 'run'
    run = runs.Run(folder, {'seed': 3, 'sizes': (1, 2)}, paths={'data': tmp_path})
    assert list(tmp_path.iterdir()) == []
    with run.writing(), run.writing():
        pass
    written = files.read_json(folder / 'options.json')
    assert written['options'] == {'seed': 3, 'sizes': [1, 2]}
    assert written['paths'] == {'data': str(tmp_path)}
    assert written['made']['tensorflow'] == tf.__version__
    assert set(written['made']) == {
        'command', 'commit', 'python', 'tensorflow', 'machine', 'time'}
    assert list(folder.iterdir()) == [folder / 'options.json']


def test_the_same_options_go_on_and_others_are_refused(tmp_path):
    _begin(tmp_path, {'seed': 3, 'sizes': (1, 2), 'kimg': 5}, free=['kimg'])
    _begin(tmp_path, {'seed': 3, 'sizes': (1, 2), 'kimg': 9}, free=['kimg'], paths={'data': 'b'})
    before = files.read_json(tmp_path / 'options.json')
    with pytest.raises(UserError, match='other options: --seed was 3, now 4; repeat') as caught:
        runs.Run(tmp_path, {'seed': 4, 'sizes': (1, 2), 'kimg': 9}, free=['kimg'])
    assert 'sizes' not in str(caught.value) and '--run' in str(caught.value)
    with pytest.raises(UserError, match='--more was none, now 1'):
        runs.Run(tmp_path, {'seed': 3, 'sizes': (1, 2), 'kimg': 9, 'more': 1}, free=['kimg'])
    assert files.read_json(tmp_path / 'options.json') == before


def test_an_option_that_came_later_was_at_its_default(tmp_path):
    _begin(tmp_path, {'seed': 3})
    with pytest.raises(UserError, match='--sizes was \\[1, 2\\], now \\[3\\]; repeat'):
        runs.Run(tmp_path, {'seed': 3, 'sizes': (3,)}, defaults={'sizes': (1, 2)})
    _begin(tmp_path, {'seed': 3, 'sizes': (1, 2)}, defaults={'seed': 0, 'sizes': (1, 2)})
    with pytest.raises(UserError, match='--seed was 3, now 0'):
        runs.Run(tmp_path, {'seed': 0, 'sizes': (1, 2)}, defaults={'seed': 0})


def test_of_an_input_that_lay_nowhere_no_digest_is_told(tmp_path):
    """As of the pretrained network, from which a training starts where none is named."""
    _begin(tmp_path, {'start': '827376472751811e'})
    with pytest.raises(UserError, match='--start differs from what the run began with; repeat'):
        runs.Run(tmp_path, {'start': '0123456789ab'}, paths={'start': 'b.npz'})


def test_of_inputs_that_differ_the_paths_are_told(tmp_path):
    _begin(tmp_path, {'data': '12ab'}, paths={'data': 'a.csv'})
    with pytest.raises(UserError, match=r'--data was a\.csv, now b\.csv; repeat'):
        runs.Run(tmp_path, {'data': '34cd'}, paths={'data': 'b.csv'})
    with pytest.raises(UserError, match=r'--data a\.csv has other contents or columns now; repeat'):
        runs.Run(tmp_path, {'data': '34cd'}, paths={'data': 'a.csv'})


def test_what_an_earlier_version_noted_for_the_same_input_is_accepted(tmp_path):
    _begin(tmp_path, {'data': 'data/photos'})
    with pytest.raises(UserError, match='--data was data/photos, now 12ab'):
        runs.Run(tmp_path, {'data': '12ab'})
    _begin(tmp_path, {'data': '12ab'}, formerly={'data': 'data/photos'})
    runs.Run(tmp_path, {'data': '12ab'})


@pytest.mark.parametrize('content', [
    '[]', '{"options": 3}', '{"options": {', '{"options": {}, "paths": [1]}',
    '{"options": {}, "paths": {"records": 1}}'])
def test_damaged_options_are_refused(tmp_path, content):
    (tmp_path / 'options.json').write_text(content)
    with pytest.raises(UserError, match=r'options.json'):
        runs.read_options(tmp_path)
    with pytest.raises(UserError, match=r'options.json'):
        runs.Run(tmp_path, {})


def test_before_the_first_checkpoint_only_what_is_packed_counts(tmp_path):
    """A first step that ran out of memory may be tried again with other options."""
    def run(**options):
        return _begin(tmp_path, dict({'data': 'a', 'accumulate': 1}, **options), packed=['data'])
    run()
    run(data='b')  # nothing is packed yet
    (tmp_path / 'records').mkdir()
    begun = run(data='b', accumulate=2)
    with pytest.raises(UserError, match='other options: --data was b, now a; repeat'):
        run(accumulate=2)
    begun.log(nimg=1)
    with pytest.raises(UserError, match='other options: --accumulate was 2, now 1; repeat'):
        run(data='b')


def test_of_many_differences_the_first_are_named(tmp_path):
    _begin(tmp_path, {f'option{index}': 1 for index in range(10)})
    with pytest.raises(UserError, match='--option7 was 1, now none; and 2 more; repeat'):
        runs.Run(tmp_path, {})


def test_a_refusal_before_anything_was_made_leaves_the_folder_free_for_other_options(tmp_path):
    def fail(made, error):
        with runs.Run(tmp_path, {'seed': 1}).writing():
            for name in made:
                (tmp_path / name).mkdir()
            raise error
    for made, error in (((), UserError), ((), KeyboardInterrupt), (('records',), UserError)):
        with pytest.raises(error):
            fail(made, error)
        assert (tmp_path / 'options.json').exists() == bool(made)


# --- Checkpoints.

def _save(run, value, position):
    with tf.Graph().as_default(), tflib.session(1) as sess, run.writing():
        tf.get_variable('x', initializer=np.full([3], value, np.float32))
        tf.get_variable('best', initializer=np.float32(np.inf))
        sess.run(tf.global_variables_initializer())
        run.prepare_saving()
        tf.get_default_graph().finalize()
        run.save(sess, position)


def _value(folder):
    return tf.train.load_variable(runs.latest_checkpoint(folder), 'x')[0]


def _kept(folder):
    return {path.name.split('.')[0] for path in (folder / 'checkpoint').iterdir()}


def test_the_newest_checkpoint_counts_and_two_are_kept(tmp_path):
    assert runs.Run(tmp_path, {}).latest() is None
    for position in (100, 300, 500, 500):
        _save(runs.Run(tmp_path, {}), position / 2, position)  # a new process each time
    assert runs.Run(tmp_path, {}).latest().endswith('-500') and _value(tmp_path) == 250
    assert _kept(tmp_path) == {'state-300', 'state-500'}
    assert set(files.read_json(tmp_path / 'checkpoint.json')) == _kept(tmp_path)


def test_a_run_that_was_moved_goes_on_and_still_keeps_two(tmp_path):
    for position in (100, 300):
        _save(runs.Run(tmp_path / 'here', {}), position, position)
    (tmp_path / 'here').rename(tmp_path / 'there')
    run = runs.Run(tmp_path / 'there', {})
    assert tf.train.load_variable(run.latest(), 'x')[0] == 300
    _save(run, 500, 500)
    assert _kept(tmp_path / 'there') == {'state-300', 'state-500'}


def _cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def _zero(path):
    path.write_bytes(bytes(path.stat().st_size))


def _flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def _empty(path):
    path.write_bytes(b'')


def _remove(path):
    path.unlink()


@pytest.mark.parametrize('listed', [True, False], ids=['listed', 'of an older version'])
@pytest.mark.parametrize('part', ['state-300.index', 'state-300.data-00000-of-00001'])
@pytest.mark.parametrize('damage', [_cut, _zero, _flip, _empty, _remove])
def test_a_damaged_checkpoint_is_passed_over(tmp_path, capsys, damage, part, listed):
    if (damage, part, listed) == (_flip, 'state-300.index', False):
        pytest.skip("TensorFlow's own checksums do not cover the index")
    for position in (100, 300):
        _save(runs.Run(tmp_path, {}), position, position)
    if not listed:
        (tmp_path / 'checkpoint.json').unlink()
    damage(tmp_path / 'checkpoint' / part)
    run = runs.Run(tmp_path, {})
    assert run.latest().endswith('-100') and _value(tmp_path) == 100
    noticed = listed or (damage, part) != (_remove, 'state-300.index')  # of that nothing is left
    assert ('state-300 is damaged or gone; it is passed over' in capsys.readouterr().out) == noticed
    _save(run, 200, 200)
    assert _kept(tmp_path) == {'state-100', 'state-200'} and _value(tmp_path) == 200


def test_a_run_without_a_whole_checkpoint_is_refused_and_not_begun_again(tmp_path):
    for position in (100, 300):
        _save(runs.Run(tmp_path, {}), position, position)
    (tmp_path / 'checkpoint').rename(tmp_path / 'elsewhere')
    with pytest.raises(UserError, match=r'no checkpoint in .* is whole; copy'):
        runs.Run(tmp_path, {}).latest()
    (tmp_path / 'elsewhere').rename(tmp_path / 'checkpoint')
    for path in (tmp_path / 'checkpoint').iterdir():
        _zero(path)
    with pytest.raises(UserError, match=r'no checkpoint in .* is whole; copy'):
        runs.Run(tmp_path, {}).latest()


def test_a_checkpoint_that_was_not_noted_any_more_is_noted_on_resuming(tmp_path):
    for position in (100, 200, 300):
        _save(runs.Run(tmp_path, {}), position, position)
    whole = files.read_json(tmp_path / 'checkpoint.json')
    lie = {'state-999': {}, 'state-998': {'a': 'b'}, 'state-997': []}  # of files that never were
    for known in ({'state-200': whole['state-200']}, {}, lie):  # a kill; an earlier version
        files.write_json(tmp_path / 'checkpoint.json', known)
        run = runs.Run(tmp_path, {})
        with run.writing():
            assert run.latest().endswith('state-300')
        assert files.read_json(tmp_path / 'checkpoint.json') == whole
        assert _kept(tmp_path) == {'state-200', 'state-300'}


def test_damaged_notes_about_checkpoints_lose_none(tmp_path):
    for position in (100, 300):
        _save(runs.Run(tmp_path, {}), position, position)
    for content in ('', '[]', '{"state-300": 3, "../state-9": {}, "state-x": {}}'):
        (tmp_path / 'checkpoint.json').write_text(content)
        assert _value(tmp_path) == 300


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_what_is_not_finite_is_not_saved(tmp_path, value):
    _save(runs.Run(tmp_path, {}), 1, 100)
    with pytest.raises(UserError, match='NaN or infinite before 200; the last checkpoint'):
        _save(runs.Run(tmp_path, {}), value, 200)
    assert _kept(tmp_path) == {'state-100'} and _value(tmp_path) == 1


def test_a_full_disk_is_noticed_before_and_while_saving(tmp_path, monkeypatch):
    _save(runs.Run(tmp_path, {}), 1, 100)
    monkeypatch.setattr(files, 'free', lambda path: 10)
    with pytest.raises(files.DiskFull, match=r'about .* are needed'):
        _save(runs.Run(tmp_path, {}), 2, 200)
    monkeypatch.undo()

    def full(*arguments, **more):
        raise tf.errors.UnknownError(None, None, 'a_temp/part-0; No space left on device')
    monkeypatch.setattr(tf.train.Saver, 'save', full)
    with pytest.raises(files.DiskFull, match='state-200 could not be written'):
        _save(runs.Run(tmp_path, {}), 2, 200)
    assert _kept(tmp_path) == {'state-100'} and _value(tmp_path) == 1


# --- Progress.

def test_progress_is_cut_back_to_the_restored_position(tmp_path):
    run = _begin(tmp_path, {})
    assert run.history() == []
    run.cut_history('step', 0)  # nothing to cut is no mistake
    for step in (1, 2, 3):
        run.log(step=step, loss=step / 8)
    run.cut_history('step', 2)
    assert run.history() == [{'step': 1, 'loss': 0.125}, {'step': 2, 'loss': 0.25}]


@pytest.mark.parametrize('torn', ['{"step": 2, "lo', '{"step": 2, "lo\n', '\0\0\0', '7'])
def test_a_last_line_that_broke_off_is_dropped(tmp_path, torn):
    run = _begin(tmp_path, {})
    run.log(step=1)
    with open(str(tmp_path / 'progress.jsonl'), 'a') as lines:
        lines.write(torn)
    assert run.history() == [{'step': 1}]
    run.cut_history('step', 5)
    run.log(step=2)
    assert run.history() == [{'step': 1}, {'step': 2}]


@pytest.mark.parametrize('line', ['{"step": 1, "lo', '[]', '{"step": "1"}', '{"loss": 1}', '{{'])
def test_any_other_damaged_line_is_an_error_of_one_line(tmp_path, line):
    run = _begin(tmp_path, {})
    (tmp_path / 'progress.jsonl').write_text(line + '\n{"step": 2}\n')
    with pytest.raises(UserError, match=r'line .*of .*progress.jsonl .*delete'):
        run.cut_history('step', 5)


def _handlers():
    return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signals_only_ask_to_stop(tmp_path, number):
    run, before = _begin(tmp_path, {}), _handlers()
    with run.stoppable():
        assert not run.stopping
        os.kill(os.getpid(), number)
        time.sleep(0.01)  # the handler runs between two lines of Python
        assert run.stopping
    assert _handlers() == before


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    run, before = _begin(tmp_path, {}), _handlers()

    def interrupt():
        with run.stoppable():
            for seconds in (0.01, 1):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(seconds)
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert _handlers() == before


def test_interrupted_is_a_keyboard_interrupt():
    assert issubclass(runs.Interrupted, KeyboardInterrupt)
