"""A run: a folder that holds a training's options, progress, checkpoints and results.

    options.json       the resolved options, versions, command line and commit
    progress.jsonl     one object per tick; on resume, lines beyond the restored position are cut
    checkpoint/        everything needed to go on (the two newest); TensorFlow's pointer comes last

Running the same command again continues the run. Other options in the same folder are refused.
"""

import contextlib
import json
import os
import pathlib
import platform
import signal
import sys
import time

from dnnlib import files, origin
from dnnlib.files import UserError
from dnnlib.tflib import tf


class Interrupted(KeyboardInterrupt):
    """The user or the system asked to stop, and everything has been saved."""


def provenance():
    """What made a result: command line, commit, versions, machine, as a JSON-able dict."""
    return {'command': ' '.join(['run.py'] + sys.argv[1:]), 'commit': origin.commit(),
            'python': platform.python_version(), 'tensorflow': tf.__version__,
            'machine': '%s, %d cores' % (platform.machine(), os.cpu_count()),
            'time': time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime())}


def origin_of(**facts):
    """`origin.origin` with the engine that draws: what every generated file carries."""
    return origin.origin(tensorflow=tf.__version__, **facts)


def _checkpoints(folder):
    """Path prefixes of the whole checkpoints in a run folder, oldest first.

    Found by their names: what TensorFlow notes beside them goes wrong when a folder is moved or
    copied. The index is written last, so where there is one all is there.
    """
    found = {int(path.stem.split('-')[1]): str(path.with_suffix(''))
             for path in folder.glob('checkpoint/state-*.index')}
    return [found[position] for position in sorted(found)]


def latest_checkpoint(folder):
    """Path prefix of the newest whole checkpoint in a run folder, or None."""
    return (_checkpoints(folder) or [None])[-1]


class Run:
    """One run folder.

    folder:  where it lies; made if missing.
    options: JSON-able dict of everything that decides the result.
    free:    names of options that may change from one start to the next (how long, how fast).
    defaults: {name: value} that a run had which was begun before the option came to be.
    Raises UserError if the folder holds a run with other options.
    """

    def __init__(self, folder, options, free=(), defaults=None):
        self.folder = pathlib.Path(folder)
        self.stopping = False
        self._saver = None  # of the graph that is being trained
        path = self.folder / 'options.json'
        # As they will read back: tuples become lists.
        options, defaults = json.loads(json.dumps([options, defaults or {}]))
        if path.exists():
            self._refuse_other(dict(defaults, **files.read_json(path)['options']), options, free)
        files.write_json(path, {'options': options, 'made': provenance()})

    def _refuse_other(self, old, new, free):
        differences = [f'{name} was {old.get(name)}, now {new.get(name)}'
                       for name in sorted(set(old) | set(new))
                       if name not in free and old.get(name) != new.get(name)]
        if differences:
            raise UserError('%s holds a run with other options: %s; repeat those options, or '
                            'start a new run with --run OTHER_FOLDER' % (
                                self.folder, '; '.join(differences)))

    def latest(self):
        """Path prefix of the newest whole checkpoint, or None in a new run."""
        return latest_checkpoint(self.folder)

    def prepare_saving(self):
        """Add the saving ops to the default graph, which may then be finalised."""
        self._saver = tf.train.Saver(max_to_keep=2)
        self._saver.recover_last_checkpoints(_checkpoints(self.folder))

    def save(self, sess, position):
        """Write a checkpoint of every global variable; `position` numbers it.

        `prepare_saving` comes first, once per graph.
        """
        (self.folder / 'checkpoint').mkdir(exist_ok=True)
        self._saver.save(sess, str(self.folder / 'checkpoint' / 'state'), global_step=position,
                         write_meta_graph=False)

    def log(self, **record):
        """Append one line to progress.jsonl."""
        with open(str(self.folder / 'progress.jsonl'), 'a', encoding='utf-8') as lines:
            lines.write(json.dumps(record) + '\n')

    def history(self):
        """All lines of progress.jsonl as dicts, oldest first."""
        path = self.folder / 'progress.jsonl'
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text(encoding='utf-8').splitlines()]

    def cut_history(self, key, position):
        """Drop the lines whose `key` lies beyond `position`: they will be lived through again."""
        kept = [line for line in self.history() if line[key] <= position]
        files.write_text(self.folder / 'progress.jsonl',
                         ''.join(json.dumps(line) + '\n' for line in kept))

    @contextlib.contextmanager
    def stoppable(self):
        """Inside, Ctrl-C and SIGTERM only set `stopping`, so that the loop can save and leave.

        A second Ctrl-C stops at once.
        """
        def ask(number, frame):
            if self.stopping and number == signal.SIGINT:
                raise KeyboardInterrupt
            self.stopping = True
        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
