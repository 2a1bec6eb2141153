"""Damage done for real to trainings of both models: kills, full disks, second processes, bad files.

    python tests/torture.py                     the long form: hours on two cores
    python tests/torture.py --kills 4 --disks 2 --pairs 2 --damages 5 --mutations 1000

Every trial ends with the same command typed again, which must end bitwise as an undisturbed
training does, or with exit code 1 and one line that says why, with nothing lost. Commands fork from
this process, which has imported TensorFlow and done nothing with it.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'tests')]

from process import SMALL_GAN, SMALL_GPT2  # noqa: E402

from dnnlib import archive, files, images, runs  # noqa: E402
from dnnlib.files import UserError  # noqa: E402
from dnnlib.tflib import tf  # noqa: E402

GAN = ['train-stylegan', '--data', 'small-pruned', *SMALL_GAN, '--run']
GPT2 = ['train-gpt2', '--data', 'small', *SMALL_GPT2, '--save-every', '1', '--run']
TRAININGS = {'stylegan': GAN, 'gpt2': GPT2}
LONGER = {'stylegan': ['--kimg', '0.128'], 'gpt2': ['--steps', '6']}
SECONDS, BYTES = 5, 1 << 30  # that a reader may take for one file

Ended = collections.namedtuple('Ended', 'code out err')


# --- Commands.

def _events():
    """(module or class, name of a function) whose calls are events at which a process is killed."""
    return [(files, 'sync'), (os, 'replace'), (runs.Run, 'log'), (tf.train.Saver, 'save'),
            (images, 'write_png'), (tf.python_io.TFRecordWriter, 'close')]


def _count_events(kill_at, note):
    """Count the starts and ends of events into a file; at the event `kill_at` kill the process."""
    seen = [0]

    def event():
        seen[0] += 1
        note.write_text(str(seen[0]))
        if seen[0] == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(function):
        def call(*arguments, **more):
            event()
            result = function(*arguments, **more)
            event()
            return result
        return call
    for owner, name in _events():
        setattr(owner, name, counted(getattr(owner, name)))


def start(arguments, folder, name='it', kill_at=0):
    """Start a command in a folder -> its process id; see `end`.

    kill_at: the number of the event, see `_events`, at which it is killed; 0: it is not.
    """
    process = os.fork()
    if process:
        return process
    try:
        os.chdir(str(folder))
        for number, suffix in ((1, 'out'), (2, 'err')):
            file = os.open(f'{name}.{suffix}', os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
            os.dup2(file, number)
        _count_events(kill_at, pathlib.Path(f'{name}.events').absolute())
        sys.argv = ['run.py', *arguments]
        import run
        code = run.main(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(99)


def end(process, folder, name='it'):
    """Wait for a command -> Ended; the code of a killed one is negative."""
    _, status = os.waitpid(process, 0)
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    out, err = [(folder / f'{name}.{suffix}').read_text(encoding='utf-8', errors='replace')
                if (folder / f'{name}.{suffix}').exists() else '' for suffix in ('out', 'err')]
    return Ended(code, out, err)


def run(arguments, folder):
    """Run a command to its end -> Ended."""
    return end(start(arguments, folder), folder)


def assert_one_line(ended):
    """It was refused with one line, which stands for itself, and no traceback."""
    last = ended.err.splitlines()[-1:]
    assert ended.code == 1 and last and last[0].startswith('error: '), ended
    assert 'Traceback' not in ended.err and ended.err.count('error: ') == 1, ended


# --- What a training leaves.

def state(folder):
    """Everything in a run folder that must not depend on what happened on the way, as a dict."""
    rows = [json.loads(line) for line in (folder / 'progress.jsonl').read_text().splitlines()]
    for row in rows:
        for name in ('img_per_s', 'loss', 'd_loss', 'g_loss', 'r1'):  # means since the start
            row.pop(name, None)
    result = {'rows': rows, 'checkpoints': files.read_json(folder / 'checkpoint.json')}
    for path in sorted(folder.glob('**/*')):
        name = path.relative_to(folder).as_posix()
        assert not path.name.startswith(files.TEMPORARY) and path.name != '.lock', name
        if path.suffix == '.npz':
            arrays = archive.read(path, 'file of the run', 'look')
            arrays.pop('about', None)  # it says when it was made
            result[name] = archive.digest(arrays)
        elif path.suffix in ('.png', '.txt', '.tfrecords', '.bpe'):
            result[name] = files.sha256(path)
    return result


class Bench:
    """A folder with a small catalogue and, for both models, what an undisturbed training leaves."""

    def __init__(self, folder):
        self.folder = folder
        for arguments in (['demo', '--count', '12', '--seed', '1', '--out', 'small'],
                          ['prune', '--data', 'small']):
            assert run(arguments, folder).code == 0
        self.whole, self.events, self.seconds = {}, {}, {}
        for model, command in TRAININGS.items():
            before = time.time()
            assert run([*command, model], folder).code == 0
            self.seconds[model] = time.time() - before
            self.events[model] = int((folder / 'it.events').read_text())
            self.whole[model] = state(folder / model)

    def assert_goes_on(self, model, name):
        """The same command again ends as the undisturbed training has."""
        ended = run([*TRAININGS[model], name], self.folder)
        assert ended.code == 0, ended
        found, whole = state(self.folder / name), self.whole[model]
        different = [key for key in set(found) | set(whole) if found.get(key) != whole.get(key)]
        assert not different, (name, different)

    @contextlib.contextmanager
    def trial(self, model, copied=False):
        """The name of a run folder that is new, or a copy of the finished one; removed at the end.

        After a failure it stays, to be looked at.
        """
        name = f'{model}-trial'
        shutil.rmtree(str(self.folder / name), ignore_errors=True)
        if copied:
            shutil.copytree(str(self.folder / model), str(self.folder / name))
        yield name
        shutil.rmtree(str(self.folder / name))


# --- The proofs. Each does one trial for each number and returns how many there were.

def kill_at_events(bench, model, count, rng):
    """Killed before or after a write, a rename, a line of progress, a grid, the end of packing."""
    events = bench.events[model]
    for event in sorted(rng.choice(events, min(count, events), replace=False) + 1):
        with bench.trial(model) as name:
            ended = end(start([*TRAININGS[model], name], bench.folder, kill_at=int(event)),
                        bench.folder)
            assert ended.code == -signal.SIGKILL, ended
            bench.assert_goes_on(model, name)
    return min(count, events)


def kill_at_random(bench, model, count, rng):
    """Killed at any moment from the start to the end: importing, packing, in a step, in a write."""
    for _ in range(count):
        with bench.trial(model) as name:
            process = start([*TRAININGS[model], name], bench.folder)
            time.sleep(rng.uniform(0, bench.seconds[model]))
            os.kill(process, signal.SIGKILL)
            end(process, bench.folder)
            bench.assert_goes_on(model, name)
    return count


def full_disk(bench, model, count, rng):
    """On a disk of any size that is too small; then the same command on one that is large enough.

    Needs root, for the mounts.
    """
    if os.getuid():
        return 0
    needed = sum(path.stat().st_size for path in (bench.folder / model).glob('**/*'))
    for size in np.linspace(8 << 10, needed, count).astype(int):
        disk = bench.folder / 'disk'
        disk.mkdir()
        subprocess.check_call(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'none', str(disk)])
        try:
            ended = run([*TRAININGS[model], 'disk/run'], bench.folder)
            if ended.code:
                assert_one_line(ended)
                assert 'the disk is full' in ended.err or 'no space left' in ended.err, ended
            subprocess.check_call(['mount', '-o', f'remount,size={9 * needed}', str(disk)])
            bench.assert_goes_on(model, 'disk/run')
        finally:
            subprocess.check_call(['umount', str(disk)])
            disk.rmdir()
    return count


def pairs(bench, model, count, rng):
    """Two processes on one run folder, the second at offsets from the first's start to its end."""
    for offset in np.linspace(0, bench.seconds[model], count):
        with bench.trial(model) as name:
            arguments = [*TRAININGS[model], name]
            first = start(arguments, bench.folder, 'first')
            time.sleep(offset)
            second = start(arguments, bench.folder, 'second')
            both = [end(first, bench.folder, 'first'), end(second, bench.folder, 'second')]
            assert any(ended.code == 0 for ended in both), both
            for ended in both:
                if ended.code:
                    assert_one_line(ended)
                    assert 'is working on' in ended.err, ended
            bench.assert_goes_on(model, name)
    return count


def damaged(content, rng):
    """Bytes cut off, zeroed, flipped or overwritten somewhere."""
    content, kind = bytearray(content), rng.randint(5)
    place = rng.randint(len(content) + 1)
    if kind == 0:
        return bytes(content[:place])
    if kind == 1:
        return bytes(len(content))
    if kind == 2:
        return bytes(content) + rng.bytes(rng.randint(1, 99))
    some = slice(place, place + rng.randint(1, 9))
    content[some] = rng.bytes(len(content[some]))
    return bytes(content)


def _longer(bench, model, change):
    """Change the run folder of a copy, train longer -> (Ended, its checkpoints or None)."""
    with bench.trial(model, copied=True) as name:
        change(bench.folder / name)
        ended = run([*TRAININGS[model], name, *LONGER[model]], bench.folder)
        there = list((bench.folder / name).glob('checkpoint/*.index'))
        assert len(there) == 2, there
        return ended, None if ended.code else files.read_json(
            bench.folder / name / 'checkpoint.json')


def _forget_newest(folder):
    """Leave only the older checkpoint."""
    kept = dict(sorted(files.read_json(folder / 'checkpoint.json').items(),
                       key=lambda item: int(item[0].split('-')[1]))[:1])
    files.write_json(folder / 'checkpoint.json', kept)
    for path in (folder / 'checkpoint').iterdir():
        if path.name.split('.')[0] not in kept:
            path.unlink()


def damaged_run(bench, model, count, rng):
    """A file of a finished run is damaged, and it is to go on for longer.

    It goes on from the newest checkpoint, or from the one before it, or is refused with one line.
    """
    def damage(folder):
        path = sorted(folder.glob(pattern))[-1]
        path.write_bytes(damaged(path.read_bytes(), rng))
    good = [_longer(bench, model, change)[1] for change in (lambda folder: None, _forget_newest)]
    formats = ('checkpoint/*.index', 'checkpoint/*.data*', 'checkpoint.json', 'progress.jsonl',
               'options.json')
    for pattern in formats:
        for _ in range(count):
            ended, checkpoints = _longer(bench, model, damage)
            if ended.code:
                assert_one_line(ended)
            else:
                assert checkpoints in good, (pattern, ended)
    return len(formats) * count


def _readers(bench):
    """{format: (a good file, the function that reads it)}; a folder's reader gets the folder."""
    from catalog import source
    from gpt2 import encoder
    from stylegan import dataset
    from stylegan.released import pickles

    def records(path):
        some = dataset.Records(path.parent)
        return some.batch(0, some.count, some.resolution)
    run = bench.folder / 'gpt2'
    return {
        'npz': (run / 'snapshot' / 'weights.npz', lambda path: archive.read(path, 'file', 'look')),
        'json': (run / 'options.json', files.read_json),
        'vocabulary': (run / 'snapshot' / 'vocab.bpe', lambda path: encoder.load(path.parent)),
        'csv': (bench.folder / 'small' / 'products.csv', source.read),
        'tfrecords': (bench.folder / 'stylegan' / 'records' / 'photos-r03.tfrecords', records),
        'pickle': (ROOT / 'tests' / 'data' / 'stylegan' / 'original_small_clean.pkl', pickles.read)}


def mutations(bench, count, rng):
    """Damaged files of every format that comes from elsewhere: each is read, or refused by a line.

    No other exception, no more than 5 s and 1 GB each.
    """
    for format, (good, read) in _readers(bench).items():
        folder = bench.folder / 'mutated'
        shutil.copytree(str(good.parent), str(folder))
        content, path = good.read_bytes(), folder / good.name
        for _ in range(count):
            path.write_bytes(damaged(content, rng))
            before, most = time.time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            try:
                read(path)
            except UserError as error:
                assert '\n' not in str(error), (format, error)
            more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most
            assert time.time() - before < SECONDS and more < BYTES >> 10, (format, more)
        shutil.rmtree(str(folder))
    return count * 6


# --- The table.

PROOFS = {'kills': (kill_at_events, kill_at_random), 'disks': (full_disk,), 'pairs': (pairs,),
          'damages': (damaged_run,)}


def main(counts, models, seed):
    """Do every proof and print a line for each. Stops at the first failure and keeps its files."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='torture-'))
    bench = Bench(folder)
    for name, proofs in PROOFS.items():
        for proof in proofs if counts[name] else ():
            for model in models:
                before = time.time()
                done = proof(bench, model, counts[name], np.random.RandomState(seed))
                print(f'{proof.__name__:16}{model:10}{done:8} trials, all as promised'
                      f'{time.time() - before:8.0f} s', flush=True)
    done = mutations(bench, counts['mutations'], np.random.RandomState(seed))
    print(f"{'mutations':16}{'readers':10}{done:8} files, all read or refused in a line")
    shutil.rmtree(str(folder))


if __name__ == '__main__':
    os.nice(19)
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    for name, count in (('kills', 100), ('disks', 20), ('pairs', 10), ('damages', 40),
                        ('mutations', 170000)):
        parser.add_argument('--' + name, type=int, default=count, help=f'(default {count})')
    parser.add_argument('--models', nargs='+', choices=TRAININGS, default=list(TRAININGS))
    parser.add_argument('--seed', type=int, default=1)
    typed = vars(parser.parse_args())
    main(typed, typed['models'], typed['seed'])
