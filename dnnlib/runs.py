"""A run: a folder that holds a training's options, progress, checkpoints and results.

    options.json       the resolved options, where its inputs lay, versions, command line, commit
    progress.jsonl     one object per tick; on resume, lines beyond the restored position are cut
    checkpoint/        everything needed to resume: the two newest checkpoints
    checkpoint.json    their names and the SHA-256 of their files; written last, when all is there
    .lock              the process that is training now

Running the same command again continues the run, from the newest checkpoint that is whole. Other
options in the same folder are refused. Nothing is written before training begins. Of the workers of
a data-parallel training only the first reads and writes the folder.
"""

import contextlib
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import sys
import time

from dnnlib import files, lock, parallel, tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf

PROJECT = "This dress doesn't exist, again"
_KEPT = 2  # checkpoints
_SHOWN = 8  # differing options


class Interrupted(KeyboardInterrupt):
    """The user or the system asked to stop, and everything has been saved."""


def commit():
    """The source's git commit, with '+changes' if the tree differs; '' outside a checkout."""
    here = str(pathlib.Path(__file__).parents[1])
    try:
        name = subprocess.check_output(
            ['git', '-C', here, 'rev-parse', '--short', 'HEAD'], stderr=subprocess.DEVNULL)
        changes = subprocess.check_output(
            ['git', '-C', here, 'status', '--porcelain', '-uno'], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return ''
    return name.decode().strip() + ('+changes' if changes.strip() else '')


def provenance():
    """What made a result: command line, commit, versions, machine, as a JSON-able dict."""
    return {'command': ' '.join(['run.py'] + sys.argv[1:]), 'commit': commit(),
            'python': platform.python_version(), 'tensorflow': tf.__version__,
            'machine': f'{platform.machine()}, {os.cpu_count()} cores',
            'time': time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime())}


def origin_of(**facts):
    """What every generated file carries: synthetic, made by this project and engine, then `facts`.

    A flat dict. facts: strings and numbers, such as seed and psi. There is no time in it: the same
    seed gives the same bytes.
    """
    return dict({'synthetic': 'yes', 'project': PROJECT, 'commit': commit(),
                 'tensorflow': tf.__version__}, **facts)


def read_options(folder):
    """What options.json of a run folder says -> (options: name -> value, paths: name -> str).

    Raises UserError.
    """
    path = pathlib.Path(folder) / 'options.json'
    content = files.read_json(path)
    options, paths = content.get('options'), content.get('paths', {})
    if not (isinstance(options, dict) and isinstance(paths, dict)
            and all(isinstance(each, str) for each in paths.values())):
        raise UserError(f'{path} is damaged; restore it, or delete {folder}')
    return options, paths


def _listed(folder):
    """{name of a checkpoint: {file: sha256}} as in checkpoint.json; {} where it is damaged."""
    path = folder / 'checkpoint.json'
    try:
        listed = files.read_json(path) if path.exists() else {}
    except UserError:  # then TensorFlow's own checksums have to do
        return {}
    return {name: hashes for name, hashes in listed.items()
            if re.match(r'state-\d{1,18}$', name) and isinstance(hashes, dict) and hashes}


def _position(name):
    return int(name.split('-')[1])


def _files_of(prefix):
    """The files of a checkpoint, the index last."""
    return sorted(prefix.parent.glob(prefix.name + '.*'), key=lambda path: path.suffix == '.index')


def _hashes(prefix):
    return {path.name: files.sha256(path) for path in _files_of(prefix)}


def _names(folder):
    """Names of the checkpoints that are there, in whatever state, or are noted."""
    return set(_listed(folder)) | {path.stem for path in folder.glob('checkpoint/state-*.index')
                                   if re.match(r'state-\d{1,18}$', path.stem)}


def latest_checkpoint(folder):
    """Path prefix of the newest whole checkpoint in a run folder, or None in a new one.

    Damaged ones are passed over with a line. They are found by their names, since what TensorFlow
    notes goes wrong when a folder is moved. Raises UserError if there were some and none is whole.
    """
    folder = pathlib.Path(folder)
    listed, names = _listed(folder), _names(folder)
    for name in sorted(names, key=_position, reverse=True):
        prefix = folder / 'checkpoint' / name
        whole = (_hashes(prefix) == listed[name] if name in listed  # else from an older version
                 else tflib.is_whole(prefix))
        if whole:
            return str(prefix)
        print(f'{prefix} is damaged or gone; it is passed over')
    if names:
        raise UserError(f'no checkpoint in {folder} is whole; copy its checkpoint folder back from '
                        'elsewhere, or start a new run with --run OTHER_FOLDER')
    return None


class Run:
    """One run folder.

    folder:  where it lies; made when training begins, if missing.
    options: JSON-able dict of everything that decides the result. Inputs are in it by what they
             hold (see `files.digest`), so that they may be moved.
    free:    names of options that may change from one start to the next (how long, how fast).
    defaults: {name: value} that a run had which was begun before the option came to be.
    paths:   {name: path} of the inputs, noted for people.
    formerly: {name: value} that an earlier version noted for the same input.
    packed: names of options that count before the first checkpoint, since what is in the folder
            then depends on them; the others may still change. None: all count.
    Raises UserError if the folder holds a run with other options.
    """

    def __init__(self, folder, options, free=(), defaults=None, paths=None, formerly=None,
                 packed=None):
        self.folder = pathlib.Path(folder)
        self.stopping = self._asked = False
        # As they will read back: tuples become lists.
        self._options, self._defaults = json.loads(json.dumps([options, defaults or {}]))
        self._formerly, self._packed = formerly or {}, packed
        self._free, self._paths = free, {name: str(path) for name, path in (paths or {}).items()}
        self._writing, self._latest = False, None
        self._saver = self._finite = self._votes = None  # of the graph that is being trained
        self._refuse_others()

    def _refuse_others(self):
        if not (self.folder / 'options.json').exists():
            return
        old, new = dict(self._defaults, **read_options(self.folder)[0]), self._options
        names = set(old) | set(new)
        if self._packed is not None and not _names(self.folder) and not self.history():
            names = self._packed if self._results() else ()
        differences = [f"--{name.replace('_', '-')} {self._difference(name, old, new)}"
                       for name in sorted(names)
                       if name not in self._free
                       and old.get(name) not in (new.get(name),
                                             self._formerly.get(name, new.get(name)))]
        if differences:
            more = [f'and {len(differences) - _SHOWN} more'] if len(differences) > _SHOWN else []
            raise UserError(f'{self.folder} holds a run with other options: '
                            f"{'; '.join(differences[:_SHOWN] + more)}; repeat those options, or "
                            'start a new run with --run OTHER_FOLDER')

    def _difference(self, name, old, new):
        """What the user is told about an option that differs: an input by its path."""
        before = read_options(self.folder)[1].get(name, old.get(name))
        now = self._paths.get(name, new.get(name))
        if before == now:
            return f'{now} has other contents or columns now'
        if isinstance(before, str) and re.fullmatch('[0-9a-f]{12,}', before):  # a digest
            return 'differs from what the run began with'
        none = ('', None)
        return f"was {'none' if before in none else before}, now {'none' if now in none else now}"

    @contextlib.contextmanager
    def writing(self):
        """Inside, this process alone writes to the run folder; may be entered again.

        Of several workers (see parallel) the first one does, and the others join it.
        Raises UserError if another process is training here.
        """
        if self._writing:
            yield
            return
        with parallel.joined(self._options, Interrupted), (
                contextlib.nullcontext() if parallel.rank else self._owning()):
            self._writing = True
            try:
                yield
            finally:
                self._writing, self._latest = False, None

    @contextlib.contextmanager
    def _owning(self):
        """`writing` of the process that does write."""
        with lock.folder(self.folder):
            self._refuse_others()  # those of a run that began a moment ago
            path = self.folder / 'options.json'
            files.write_json(path, {
                'options': self._options, 'paths': self._paths, 'made': provenance()})
            try:
                yield
            except (UserError, KeyboardInterrupt):  # before anything came of them, try others
                if not self._results():
                    path.unlink()
                raise

    def _results(self):
        """What is in the folder besides its options."""
        return [each for each in self.folder.glob('[!.]*') if each.name != 'options.json']

    def latest(self):
        """Path prefix of the newest whole checkpoint, or None in a new run. Raises UserError.

        None on all workers but the first, which give what they restore to the others.
        """
        if parallel.rank:
            return None
        if not self._writing:
            return latest_checkpoint(self.folder)
        if self._latest is None:  # checked once: nobody else writes meanwhile
            self._latest = latest_checkpoint(self.folder)
            if self._latest and pathlib.Path(self._latest).name not in _listed(self.folder):
                self._note(pathlib.Path(self._latest))  # of a process killed before it did so
        return self._latest

    def prepare_saving(self):
        """Add the saving ops to the default graph, which may then be finalised.

        Raises files.DiskFull if the checkpoints will not fit on the disk.
        """
        variables = tf.global_variables()
        self._saver = tf.train.Saver(variables, max_to_keep=None)
        self._finite = tf.reduce_all([
            tf.reduce_all(tf.math.is_finite(variable)) for variable in variables
            if variable.dtype.base_dtype.is_floating and variable.shape.ndims])
        self._votes = parallel.Sum(1)
        self.need_space(sum(variable.dtype.base_dtype.size * tflib.parameters([variable])
                            for variable in variables))

    def need_space(self, size):
        """Raise files.DiskFull if checkpoints of `size` bytes will not fit on the disk: those that
        are kept and the one being written, less what is there already."""
        if parallel.rank:
            return
        there = sum(path.stat().st_size for path in self.folder.glob('checkpoint/state-*'))
        files.need_space(self.folder / 'checkpoint', max(size, (_KEPT + 1) * size - there))

    def save(self, sess, position):
        """Write a checkpoint of every global variable; `position` numbers it.

        `prepare_saving` comes first, once per graph. Raises UserError if a weight is NaN or
        infinite, and files.DiskFull; the checkpoints before this one are untouched then.
        """
        assert self._writing, 'a checkpoint is written inside of Run.writing'
        if not sess.run(self._finite):
            raise UserError(f'weights have become NaN or infinite before {position}; the last '
                            'checkpoint is whole and from before: start a new run with a lower '
                            'learning rate')
        if parallel.rank:
            return
        prefix = self.folder / 'checkpoint' / f'state-{position}'
        unfinished = files.temporary(prefix)
        try:
            with tflib.disk_errors(prefix):
                unfinished.mkdir(parents=True)
                self._saver.save(sess, str(unfinished / prefix.name), write_meta_graph=False,
                                 write_state=False)
                self._put(unfinished / prefix.name, prefix)
        finally:
            shutil.rmtree(str(unfinished), ignore_errors=True)

    def _put(self, unfinished, prefix):
        """Move a finished checkpoint to its place and note it."""
        self.latest()
        for path in _files_of(unfinished):
            files.sync(path)
            os.replace(str(path), str(prefix.parent / path.name))
        files.sync(prefix.parent)
        self._note(prefix)

    def _note(self, prefix):
        """Note a checkpoint, and the one before it, in checkpoint.json; delete all others."""
        listed, name = _listed(self.folder), prefix.name
        older = [other for other in _names(self.folder) if _position(other) < _position(name)
                 and (other in listed or tflib.is_whole(prefix.with_name(other)))]
        before = max(older, key=_position, default=None)
        if self._latest and pathlib.Path(self._latest).name != name:
            before = pathlib.Path(self._latest).name  # those between are damaged
        kept = {name: _hashes(prefix)}
        if before:
            kept[before] = listed.get(before) or _hashes(prefix.with_name(before))
        files.write_json(self.folder / 'checkpoint.json', kept)
        self._latest = str(prefix)
        for path in prefix.parent.glob('state-*'):
            if path.name.split('.')[0] not in kept:
                path.unlink()

    def log(self, **record):
        """Append one line to progress.jsonl."""
        if parallel.rank:
            return
        path = self.folder / 'progress.jsonl'
        with files.disk_errors(path), open(str(path), 'a', encoding='utf-8') as lines:
            lines.write(json.dumps(record) + '\n')

    def history(self):
        """All lines of progress.jsonl as dicts, oldest first.

        A last line that a kill or a full disk cut off is left out. Raises UserError if another one
        is damaged.
        """
        path = self.folder / 'progress.jsonl'
        if parallel.rank or not path.exists():
            return []
        lines, records = files.read_text(path, limit=1 << 30).splitlines(), []
        for number, line in enumerate(lines, 1):
            try:
                records.append(files.parse_json(line, nan=True))
                if not isinstance(records[-1], dict):
                    raise ValueError('no object')
            except ValueError:
                if number < len(lines):
                    raise UserError(f'line {number} of {path} is damaged; delete that line')
                del records[number - 1:]
        return records

    def refuse_lost(self):
        """Raise UserError: there is no checkpoint, and the history shows that there was one."""
        raise UserError(f'{self.folder} has a history but no checkpoint; copy its checkpoint '
                        'folder back, or start a new run with --run OTHER_FOLDER')

    def cut_history(self, key, position):
        """Drop the lines whose `key` lies beyond `position`: training repeats them."""
        if parallel.rank:
            return
        history = self.history()
        if not all(isinstance(line.get(key), (int, float)) for line in history):
            raise UserError(f"a line of {self.folder / 'progress.jsonl'} has no {key}; delete it")
        kept = [line for line in history if line[key] <= position]
        files.write_text(self.folder / 'progress.jsonl',
                         ''.join(json.dumps(line) + '\n' for line in kept))

    @contextlib.contextmanager
    def stoppable(self):
        """Inside, Ctrl-C and SIGTERM only set `stopping`, so that the loop can save and leave.

        A second Ctrl-C stops at once. Of several workers one is enough, see `agree_on_stopping`.
        """
        def ask(number, frame):
            if self._asked and number == signal.SIGINT:
                raise KeyboardInterrupt
            self._asked = True
            if parallel.size == 1:
                self.stopping = True
        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def agree_on_stopping(self, sess):
        """Set `stopping` on all workers if one of them was asked to stop; once after each step."""
        if parallel.size > 1:
            self.stopping = self._votes(sess, [self._asked])[0] > 0
