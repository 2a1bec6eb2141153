"""Several workers on this machine: they train what one trains, and end together, whatever ends one.

The processes fork from one that has imported TensorFlow, so a worker costs little more than its
graph.
"""

import errno
import json
import signal
import time
import types

import numpy as np
import process
import pytest

from commands import launch
from dnnlib import images, runs
from dnnlib.tflib import tf
from stylegan import dataset, graph, snapshots
from stylegan.config import Network, Training

pytestmark = pytest.mark.slow

# 4 px, then 8 px fading in, then 8 px: 50 steps; three workers have a group of two images each.
NETWORK = Network(resolution=8, latent_size=6, mapping_layers=1, fmap_max=4, mbstd_group=2)
GAN = ['train-stylegan', '--records', 'records', '--start', 'start.npz', '--initial', '4', '--kimg',
       '0.6', '--hold-kimg', '0.24', '--fade-kimg', '0.12', '--minibatch', '12', '--lrate', '0.001',
       '--augment', 'color', '--r1-interval', '2', '--tick-kimg', '10', '--grid', '4', '--threads',
       '1']
GPT2 = ['train-gpt2', '--data', 'texts.txt', '--n-vocab', '270', '--n-ctx', '32', '--window', '16',
        '--n-embd', '8', '--n-head', '2', '--n-layer', '1', '--batch', '12', '--accumulate', '2',
        '--warmup', '10', '--learning-rate', '0.01', '--final-rate', '1', '--sample-every', '1000',
        '--threads', '1', '--worker-timeout', '20']
STEPS = ['--steps', '50', '--validate-every', '20', '--save-every', '20']


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('parallel')
    paths = [folder / f'{index}.png' for index in range(7)]
    for index, path in enumerate(paths):
        rgb = np.random.RandomState([7, index]).randint(0, 256, [8, 8, 3])
        images.write_png(path, rgb.astype(np.uint8))
    dataset.pack(paths, folder / 'records', 8)
    _write_start(folder / 'start.npz')
    (folder / 'texts.txt').write_text('\n'.join(
        f'a {colour} {garment} of {stuff}' for colour in ('red', 'blue', 'black')
        for garment in ('dress', 'skirt', 'top') for stuff in ('silk', 'wool')))
    return folder


def _write_start(path):
    """Networks whose biases and noise strengths are not zero: at zero some gradients are rounding
    alone, which Adam makes steps of full length. So is that of the constant's bias where all of a
    channel is positive, since instance normalisation takes it away: the constant has both signs."""
    with graph.Graph(NETWORK, Training(), res=8, minibatch=2) as built:
        built.start(None)
        values, rng = built.snapshot(everything=True), np.random.RandomState(8)
    for name in sorted(values):
        if not name.endswith(('weight', 'noise')) and not name.startswith('Gs/'):
            values[name] = np.float16(values[name] + 0.3 * rng.standard_normal(values[name].shape))
    constant = values['G/synthesis/4x4/Const/const']
    values['G/synthesis/4x4/Const/const'] = np.float16(rng.standard_normal(constant.shape))
    values.update({name: np.float32(values['G/' + name[3:]]) for name in values
                   if name.startswith('Gs/') and 'G/' + name[3:] in values})
    snapshots.save(path, values, NETWORK, res=8, alpha=1.0, kimg=1, made={})


def _train(folder, arguments, name, workers=1):
    """Train to the end -> (checkpoint as name -> array, progress.jsonl as a list)."""
    arguments = [*arguments, '--run', name]
    if workers == 1:
        process.succeed(*arguments, cwd=folder)
    else:
        ended = [each.end() for each in process.start_workers(*arguments, cwd=folder,
                                                              count=workers)]
        assert [code for code, _, _ in ended] == [0] * workers, ended
    return _checkpoint(folder / name), runs.Run(folder / name, {}, free=_Everything()).history()


class _Everything:
    def __contains__(self, name):
        return True


def _checkpoint(run):
    reader = tf.train.load_checkpoint(runs.latest_checkpoint(run))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def _assert_equal(one, several):
    assert set(one) == set(several)
    for name in one:
        if name.endswith('c_attn/b'):  # softmax takes the bias of the keys away: as above
            one[name][8:16], several[name][8:16] = 0, 0
        if np.isfinite(one[name]).all():
            np.testing.assert_allclose(several[name], one[name], rtol=2e-3, atol=2e-5,
                                       err_msg=name)


# --- The same weights.

@pytest.fixture(scope='module')
def one_gan(folder):
    return _train(folder, GAN, 'gan-1')


@pytest.mark.parametrize('workers', (2, 3))
def test_workers_train_the_stylegan_that_one_does(folder, one_gan, workers):
    (one, history), (several, same) = one_gan, _train(folder, GAN, f'gan-{workers}', workers)
    assert one['nimg'] == 600 and np.abs(one['G/synthesis/8x8/Conv1/weight']).max() > 0
    _assert_equal(one, several)
    for name in ('d_loss', 'g_loss', 'r1', 'minibatch', 'resolution', 'nimg'):
        assert [line.get(name) for line in same] == pytest.approx(
            [line.get(name) for line in history], rel=1e-3), name


def test_workers_train_the_gpt2_that_one_does_and_others_continue(folder):
    one, history = _train(folder, GPT2 + STEPS, 'gpt2-1')
    several, same = _train(folder, GPT2 + STEPS, 'gpt2-3', workers=3)
    assert one['step'] == 50 and len(history) == 3
    _assert_equal(one, several)
    for line, other in zip(history, same):
        assert other == pytest.approx(line, rel=1e-3)
    _train(folder, [*GPT2, *STEPS, '--steps', '20'], 'gpt2-2', workers=3)
    continued, same = _train(folder, GPT2 + STEPS, 'gpt2-2', workers=2)
    _assert_equal(one, continued)
    assert [line['step'] for line in same] == [20, 40, 50]


# --- The end of one is the end of all.

def _wait_for_checkpoint(run):
    for _ in range(1200):
        if (run / 'checkpoint.json').exists():
            return
        time.sleep(0.1)
    raise AssertionError(f'no checkpoint in {run}')


@pytest.mark.parametrize('victim', (1,))
def test_all_stop_when_one_is_killed_and_continue_together(folder, victim):
    arguments = [*GPT2, '--steps', '100000', '--validate-every', '100000', '--save-every', '5',
                 '--run', 'killed']
    workers = process.start_workers(*arguments, cwd=folder, count=3)
    _wait_for_checkpoint(folder / 'killed')
    workers[victim].signal(signal.SIGKILL)
    began = time.time()
    ended = [worker.end() for worker in workers]
    assert time.time() - began < 15
    for rank, (code, _, err) in enumerate(ended):
        if rank != victim:
            assert code == 75 and f'error: worker {victim} (localhost:' in err, ended
            assert 'has ended, so worker' in err and 'Traceback' not in err, ended
    reached = int(_checkpoint(folder / 'killed')['step'])
    more = ['--steps', str(reached + 5), '--validate-every', '100000', '--run', 'killed']
    one, _ = _train(folder, [*GPT2, *more[:2], '--validate-every', '100000'], 'not-killed')
    for worker in process.start_workers(*GPT2, *more, cwd=folder, count=3):
        assert worker.end()[0] == 0
    _assert_equal(one, _checkpoint(folder / 'killed'))


def test_ctrl_c_at_one_saves_and_stops_all(folder):
    workers = process.start_workers(*GPT2, '--steps', '100000', '--validate-every', '100000',
                                    '--save-every', '5', '--run', 'stopped', cwd=folder, count=2)
    _wait_for_checkpoint(folder / 'stopped')
    workers[1].signal(signal.SIGINT)
    for code, _, err in [worker.end() for worker in workers]:
        assert code == 130 and 'is saved at update' in err, err
    assert _checkpoint(folder / 'stopped')['step'] > 5


# --- A wrong cluster.

def _start(folder, configs, *more):
    return [process.Started(*GPT2, *STEPS, '--run', 'wrong', *own, cwd=folder,
                            environment={'TF_CONFIG': config})
            for config, own in zip(configs, more)]


def test_workers_that_differ_are_refused(folder):
    workers = _start(folder, process.tf_configs(2), [], ['--seed', '3'])
    for code, _, err in [worker.end(60) for worker in workers]:
        assert code == 1 and err.count('error: ') == 1, err
        assert 'differs from worker 0: seed is 3, not 0; start all with the same command' in err
    assert not (folder / 'wrong').exists()


def test_two_processes_of_one_rank_are_refused(folder):
    config = json.loads(process.tf_configs(2)[0])
    workers = _start(folder, [json.dumps(config)] * 2, [], [])
    for _ in range(600):
        refused = [worker for worker in workers if not worker.alive()]
        if refused:
            break
        time.sleep(0.1)
    code, _, err = refused[0].end()
    assert code == 1 and 'error: worker 0 cannot listen on the port of localhost:' in err
    for worker in set(workers) - set(refused):
        worker.signal(signal.SIGKILL)
        worker.end()


# --- The launcher.

def test_launch_starts_workers_and_ends_with_them(folder):
    arguments = [*GPT2, *STEPS, '--run', 'launched']
    code, _, err = process.run('launch', '--workers', '2', *arguments, '--batch', '6', cwd=folder)
    assert code == 1 and err.count('error: a batch of 6 cannot be split among 2 workers') == 1
    assert 'error: worker 0 ended with exit code 1, so all have ended' in err.splitlines()[-1]
    code, out, err = process.run('launch', '--workers', '2', *arguments, cwd=folder)
    assert code == 0, err
    assert '[0] done: the best weights are in launched' in out and '[1] done' in out
    assert _checkpoint(folder / 'launched')['step'] == 50


def test_workers_end_where_one_cannot_be_started(monkeypatch):
    started = []

    class Worker:
        ended = False

        def kill(self):
            self.ended = True

    def start(training, rank, addresses, gpus):
        if rank == 2:
            raise OSError(errno.EAGAIN, 'no more processes')
        started.append(Worker())
        return started[-1]
    monkeypatch.setattr(launch, '_start', start)
    monkeypatch.setattr(launch.signal, 'signal', lambda number, handler: None)
    with pytest.raises(BlockingIOError):
        launch.launch(types.SimpleNamespace(training=['train-gpt2'], workers=3))
    assert [worker.ended for worker in started] == [True, True]
