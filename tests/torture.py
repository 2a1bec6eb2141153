"""Damage done for real to trainings of both models: kills, full disks, second processes, bad files.

    python tests/torture.py                     the long form: hours on two cores
    python tests/torture.py --minutes 30        a piece of it; the same command continues
    python tests/torture.py --kills 5 --disks 2         these kinds of damage alone

Every trial ends with the same command typed again, which must end bitwise as an undisturbed
training does, or with exit code 1 and one line that says why, with nothing lost. Trials are noted
in OUT/trials.jsonl when they end; those that failed are repeated by the next run. Commands fork
from this process, which has imported TensorFlow and done nothing with it.
"""

import argparse
import collections
import contextlib
import importlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import traceback
import zlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'tests')]

import mutations  # noqa: E402
from process import SMALL_GAN, SMALL_GPT2, tf_configs  # noqa: E402

from dnnlib import archive, files, images, parallel, runs  # noqa: E402
from dnnlib.tflib import tf  # noqa: E402

# The least that packs, grows, reports, and writes checkpoints and snapshots more than once.
GAN = ['train-stylegan', '--data', 'small-pruned', *SMALL_GAN, '--resolution', '8', '--initial',
       '4', '--fmap-max', '4', '--latent-size', '4', '--snapshot-ticks', '1', '--run']
GPT2 = ['train-gpt2', '--data', 'small', *SMALL_GPT2, '--save-every', '1', '--run']
TRAININGS = {'stylegan': GAN, 'gpt2': GPT2}
LONGER = {'stylegan': ['--kimg', '0.128'], 'gpt2': ['--steps', '6']}
DAMAGED = ('checkpoint/*.index', 'checkpoint/*.data*', 'checkpoint.json', 'progress.jsonl',
           'options.json')
LIMIT = 900  # seconds that a command may take
# Kinds of damage: (option, how often in the long form, to what).
LONG_FORM = (
    ('kills', 100, 'at file events, and at random moments'), ('workers', 30, 'one of three'),
    ('disks', 20, 'sizes'), ('pairs', 10, 'offsets'),
    ('damages', 40 * len(DAMAGED), 'files of a run'), ('mutations', 1000000, 'files'))
KILLS, FILES = 5, 1000  # kills, and mutated files, in a trial
WORKERS = 3

Ended = collections.namedtuple('Ended', 'code out err')


# --- Commands.

def _events():
    """(module or class, name of a function) whose calls are events at which a process is killed."""
    return [(files, 'sync'), (os, 'replace'), (runs.Run, 'log'), (tf.train.Saver, 'save'),
            (images, 'write_png'), (tf.python_io.TFRecordWriter, 'close')]


def _count_events(kill_at, note):
    """Note the number and name of the last event, a start or an end, in a file; at the event
    `kill_at` kill the process."""
    seen = [0]

    def event(name):
        seen[0] += 1
        note.write_text(f'{seen[0]} {name}')
        if seen[0] == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(function, name):
        def call(*arguments, **more):
            event(f'before {name}')
            result = function(*arguments, **more)
            event(f'after {name}')
            return result
        return call
    for owner, name in _events():
        setattr(owner, name, counted(getattr(owner, name), name))


def _last_event(folder):
    """(number, name) of the last event of the process that ended last."""
    number, name = (folder / 'it.events').read_text().split(' ', 1)
    return int(number), name


def fork(function, folder, name='it'):
    """Call a function in a new process, in a folder -> its process id; see `end`.

    Its exit code is what the function returns. Its standard streams are NAME.out and NAME.err.
    """
    process = os.fork()
    if process:
        return process
    try:
        os.chdir(str(folder))
        for number, suffix in ((1, 'out'), (2, 'err')):
            file = os.open(f'{name}.{suffix}', os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
            os.dup2(file, number)
        code = function()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    except SystemExit as stopped:  # of a worker that has lost another
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(stopped.code)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(99)


def start(arguments, folder, name='it', kill_at=0, tf_config='{}'):
    """Start a command in a folder -> its process id.

    kill_at: the number of the event, see `_events`, at which it is killed; 0: it is not.
    tf_config: JSON of the workers of a data-parallel training, if it is one of them.
    """
    def main():
        os.environ['TF_CONFIG'] = tf_config
        importlib.reload(parallel)  # it has read the variable when this process was prepared
        _count_events(kill_at, pathlib.Path(f'{name}.events').absolute())
        sys.argv = ['run.py', *arguments]
        import run
        return run.main(arguments)
    return fork(main, folder, name)


def end(process, folder, name='it'):
    """Wait for a process -> Ended; the code of a killed one is negative."""
    before, done = time.time(), 0
    while not done:
        if time.time() - before > LIMIT:
            os.kill(process, signal.SIGABRT)
        time.sleep(0.01)
        done, status = os.waitpid(process, os.WNOHANG)
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
    """A folder with a small catalogue and, for both models, what an undisturbed training leaves.

    Made anew by every run, so that a continued one compares with the present code.
    """

    def __init__(self, folder, models):
        self.folder = folder
        for name in ('small', 'small-pruned', *models):
            shutil.rmtree(str(folder / name), ignore_errors=True)
        for arguments in (['demo', '--count', '12', '--seed', '1', '--out', 'small'],
                          ['prune', '--data', 'small']):
            assert run(arguments, folder).code == 0
        self.whole, self.events, self.seconds, self._good = {}, {}, {}, {}
        self.together = {}  # model -> what three workers leave, and their seconds
        for model in models:
            before = time.time()
            ended = run([*TRAININGS[model], model], folder)
            assert ended.code == 0, ended
            self.seconds[model] = time.time() - before
            self.events[model] = _last_event(folder)[0]
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

        After a failure it stays, to be looked at, until a trial of the model is repeated.
        """
        name = f'{model}-trial'
        shutil.rmtree(str(self.folder / name), ignore_errors=True)
        if copied:
            shutil.copytree(str(self.folder / model), str(self.folder / name))
        yield name
        shutil.rmtree(str(self.folder / name))

    def longer(self, model, change):
        """Change the files of a copied run, train longer -> (Ended, checkpoints or None)."""
        with self.trial(model, copied=True) as name:
            change(self.folder / name)
            ended = run([*TRAININGS[model], name, *LONGER[model]], self.folder)
            there = list((self.folder / name).glob('checkpoint/*.index'))
            assert len(there) == 2, there
            return ended, None if ended.code else files.read_json(
                self.folder / name / 'checkpoint.json')

    def good(self, model):
        """checkpoint.json of those that went on from the newest and from the older checkpoint."""
        if model not in self._good:
            self._good[model] = [self.longer(model, change)[1] for change in (
                lambda folder: None, _forget_newest)]
        return self._good[model]


def _forget_newest(folder):
    """Leave only the older checkpoint."""
    kept = dict(sorted(files.read_json(folder / 'checkpoint.json').items(),
                       key=lambda item: int(item[0].split('-')[1]))[:1])
    files.write_json(folder / 'checkpoint.json', kept)
    for path in (folder / 'checkpoint').iterdir():
        if path.name.split('.')[0] not in kept:
            path.unlink()


# --- The trials. Each does the damage of this number out of `count`, kills and mutations also those
# that follow, and returns what happened, as {outcome: how often}.

def _kills(bench, model, kills, killed):
    """So many kills of a command, and as many resumes; killed(command) -> (Ended, outcome)."""
    outcomes = collections.Counter()
    while sum(outcomes.values()) < kills:
        with bench.trial(model) as name:
            ended = None
            while sum(outcomes.values()) < kills and (ended is None or ended.code):
                ended, outcome = killed([*TRAININGS[model], name])
                assert ended.code in (0, -signal.SIGKILL), ended
                outcomes.update([outcome] if ended.code else [])
            bench.assert_goes_on(model, name)
    return outcomes


def kill_at_event(bench, model, number, count, rng):
    """Killed before or after a write, a rename, a line of progress, a grid, the end of packing."""
    def killed(command):
        event = rng.randint(1, bench.events[model] // 2)
        ended = end(start(command, bench.folder, kill_at=event), bench.folder)
        return ended, 'killed ' + _last_event(bench.folder)[1]
    return _kills(bench, model, min(KILLS, count - number), killed)


def kill_at_random(bench, model, number, count, rng):
    """Killed at any moment from the start to the end: importing, packing, in a step, in a write."""
    def killed(command):
        process = start(command, bench.folder)
        time.sleep(rng.uniform(0, bench.seconds[model]))
        os.kill(process, signal.SIGKILL)
        return end(process, bench.folder), 'killed'
    return _kills(bench, model, min(KILLS, count - number), killed)


def _workers(bench, model, name):
    """Start three workers of a training -> their process ids."""
    batch = {'stylegan': ['--minibatch', '12'], 'gpt2': ['--batch', '6']}[model]
    return [start([*TRAININGS[model], name, *batch, '--worker-timeout', '10'], bench.folder,
                  f'worker-{rank}', tf_config=config)
            for rank, config in enumerate(tf_configs(WORKERS))]


def _all_ended(bench, workers):
    return [end(process, bench.folder, f'worker-{rank}') for rank, process in enumerate(workers)]


def kill_a_worker(bench, model, number, count, rng):
    """One of three workers killed at any moment: the others name it and stop; started again, all
    end as three that were left alone."""
    if model not in bench.together:
        with bench.trial(model) as name:
            before = time.time()
            ended = _all_ended(bench, _workers(bench, model, name))
            assert [each.code for each in ended] == [0] * WORKERS, ended
            bench.together[model] = state(bench.folder / name), time.time() - before
    whole, seconds = bench.together[model]
    with bench.trial(model) as name:
        workers, victim = _workers(bench, model, name), rng.randint(WORKERS)
        time.sleep(rng.uniform(0, seconds))
        os.kill(workers[victim], signal.SIGKILL)  # nobody has waited for it yet: it is there
        ended = _all_ended(bench, workers)
        for rank, each in enumerate(ended):
            assert each.code in (0, 75) or rank == victim, ended
            assert each.code != 75 or f'worker {victim} (' in each.err, ended
        assert [each.code for each in _all_ended(bench, _workers(bench, model, name))] == (
            [0] * WORKERS)
        assert state(bench.folder / name) == whole
    return {'stopped, then continued': 1}


def full_disk(bench, model, number, count, rng):
    """On a disk of any size that is too small; then the same command on one that is large enough.

    Needs root, for the mounts.
    """
    needed = sum(path.stat().st_size for path in (bench.folder / model).glob('**/*'))
    size = int(np.linspace(8 << 10, needed, count)[number])
    disk = bench.folder / f'disk-{model}'
    disk.mkdir(exist_ok=True)
    subprocess.check_call(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'none', str(disk)])
    try:
        ended = run([*TRAININGS[model], f'{disk.name}/run'], bench.folder)
        if ended.code:
            assert_one_line(ended)
            assert 'the disk is full' in ended.err or 'no space left' in ended.err, ended
        subprocess.check_call(['mount', '-o', f'remount,size={9 * needed}', str(disk)])
        bench.assert_goes_on(model, f'{disk.name}/run')
    finally:
        subprocess.check_call(['umount', str(disk)])
    return {'refused, then resumed' if ended.code else 'fitted': 1}


def pair(bench, model, number, count, rng):
    """Two processes on one run folder, the second at an offset from the first's start to its end.
    """
    with bench.trial(model) as name:
        arguments = [*TRAININGS[model], name]
        first = start(arguments, bench.folder, 'first')
        time.sleep(np.linspace(0, bench.seconds[model], count)[number])
        second = start(arguments, bench.folder, 'second')
        both = [end(first, bench.folder, 'first'), end(second, bench.folder, 'second')]
        assert any(ended.code == 0 for ended in both), both
        for ended in both:
            if ended.code:
                assert_one_line(ended)
                assert 'is working on' in ended.err, ended
        bench.assert_goes_on(model, name)
    return {'one refused' if any(ended.code for ended in both) else 'one after the other': 1}


def damaged_run(bench, model, number, count, rng):
    """A file of a finished run is damaged, and it is to go on for longer.

    It goes on from the newest checkpoint, or from the one before it, or is refused with one line.
    """
    pattern = DAMAGED[number % len(DAMAGED)]

    def damage(folder):
        path = sorted(folder.glob(pattern))[-1]
        path.write_bytes(mutations.damaged(path.read_bytes(), rng))
    good = bench.good(model)
    ended, checkpoints = bench.longer(model, damage)
    if ended.code:
        assert_one_line(ended)
        return {f'{pattern}: refused': 1}
    assert checkpoints in good, (pattern, ended)
    return {f'{pattern}: went on': 1}


def mutation(bench, model, number, count, rng):
    """Mutated files of one format: each is read, or refused with one line."""
    format = mutations.FORMATS[number // FILES % len(mutations.FORMATS)]
    folder, some = bench.folder / f'mutated-{format}', min(FILES, count - number)
    shutil.rmtree(str(folder), ignore_errors=True)
    good, read = mutations.readers(bench.folder / 'stylegan', bench.folder / 'gpt2',
                                   bench.folder / 'small')[format]

    def main():
        print(mutations.read_mutated(format, good, read, folder, some, rng))
        return 0
    ended = end(fork(main, bench.folder, 'mutation'), bench.folder, 'mutation')
    assert ended.code == 0, ended
    refused = int(ended.out.split()[-1])
    return {f'{format}: refused': refused, f'{format}: read': some - refused}


# --- The order, and the table.

KINDS = {'kills': (kill_at_event, kill_at_random), 'workers': (kill_a_worker,),
         'disks': (full_disk,), 'pairs': (pair,), 'damages': (damaged_run,)}


def trials(counts, models):
    """All trials as (function, model, number, count), so that every piece has some of each."""
    wanted = [(kind, model, counts[name]) for name, kinds in KINDS.items() for kind in kinds
              for model in models if kind is not full_disk or not os.getuid()]
    wanted.append((mutation, 'both', counts['mutations']))
    steps = {kill_at_event: KILLS, kill_at_random: KILLS, mutation: FILES}
    found = [(kind, model, number, count) for kind, model, count in wanted
             for number in range(0, count, steps.get(kind, 1))]
    return sorted(found, key=lambda trial: (trial[2] + 0.5) / trial[3])


def _noted(path):
    """{(kind, model, number, count): row} of those noted that did not fail, the newest ones."""
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {tuple(row['trial']): row for row in rows if row['outcomes']}


def _do(bench, trial, seed):
    """The row of a trial."""
    kind, model, number, count = trial
    key, before = [kind.__name__, model, number, count], time.time()
    rng = np.random.RandomState([seed, zlib.crc32(repr(key).encode())])
    row = {'trial': key, 'commit': runs.commit(), 'tensorflow': tf.__version__}
    try:
        row['outcomes'] = kind(bench, model, number, count, rng)
    except Exception:
        row.update(outcomes={}, fault=traceback.format_exc())
        print(f'{" ".join(map(str, key))} failed:\n{row["fault"]}', flush=True)
    return dict(row, seconds=round(time.time() - before, 1))


def main(options):
    """Do every trial that is not noted yet, print how many ended in which way; whether none failed.
    """
    folder = options.out.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    notes, until = folder / 'trials.jsonl', time.time() + 60 * options.minutes
    all_trials, failed, bench = trials(vars(options), options.models), 0, None
    for trial in all_trials:
        if (trial[0].__name__, *trial[1:]) in _noted(notes) or time.time() > until:
            continue
        bench = bench or Bench(folder, list(TRAININGS))
        row = _do(bench, trial, options.seed)
        failed += not row['outcomes']
        with open(str(notes), 'a') as lines:
            lines.write(json.dumps(row) + '\n')
    noted = {key: row for key, row in _noted(notes).items()
             if key in {(trial[0].__name__, *trial[1:]) for trial in all_trials}}
    table = collections.Counter()
    for (kind, model, *_), row in noted.items():
        table.update({(kind, model, outcome): n for outcome, n in row['outcomes'].items()})
    for (kind, model, outcome), count in sorted(table.items()):
        print(f'{kind:16}{model:10}{count:8}  {outcome}')
    print(f'{len(noted)} of {len(all_trials)} trials as promised, {failed} failed now')
    return not failed


if __name__ == '__main__':
    os.nice(max(0, 10 - os.nice(0)))
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    for name, count, of in LONG_FORM:
        parser.add_argument('--' + name, type=int, help=f'{of} ({count} where no kind is given)')
    parser.add_argument('--minutes', type=float, default=1e6, help='start no trial after so many')
    parser.add_argument('--models', nargs='+', choices=TRAININGS, default=list(TRAININGS))
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--out', type=pathlib.Path, default=pathlib.Path('out/torture'))
    options = parser.parse_args()
    given = any(getattr(options, name) is not None for name, _, _ in LONG_FORM)
    for name, count, _ in LONG_FORM:
        if getattr(options, name) is None:
            setattr(options, name, 0 if given else count)
    sys.exit(0 if main(options) else 1)
