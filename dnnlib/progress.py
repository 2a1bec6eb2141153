"""Everything that takes long: a progress bar (how far, how fast, how long still), and a map that
uses all cores.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import weakref

from dnnlib import memory

_bars = weakref.WeakSet()


def bar(iterable=None, *, what='', unit='', **more):
    """A tqdm bar on stderr; in a log file, where it cannot redraw itself, it speaks rarely.

    more: tqdm's own total, initial, leave, disable, unit_scale, delay.
    """
    from tqdm import tqdm  # here, so that --help need not load it
    if sys.stderr.isatty() and not os.get_terminal_size(sys.stderr.fileno()).columns:
        more.update(ncols=80, nrows=24)  # of a container, where tqdm would print nothing
    shown = tqdm(iterable, desc=what or None, unit=unit, smoothing=0.05,
                 mininterval=0.2 if sys.stderr.isatty() else 20, **more)
    _bars.add(shown)
    return shown


def end():
    """End every bar that an error interrupted, so that the next line stands on its own."""
    for each in list(_bars):
        each.close()


def processes():
    """How many processes this one may use: the cores that it is allowed to run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()


def _start():
    """In each process of `parallel`: Ctrl-C is left to the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    memory.keep_freed()


@contextlib.contextmanager
def parallel(function, values, count=None, *, chunk=8, **shown):
    """`map` over `count` processes (default: one a core): the results in order, with a `bar`.

    Each process is given `chunk` values at a time; if there are fewer than one such chunk each,
    all is done here. function, a module's own or a partial of one, and the values go to the
    processes by pickle. Leaving the block ends the processes; only this one handles Ctrl-C.
    shown: what and unit of the bar.
    """
    values = list(values)
    count = min(count or processes(), len(values) // chunk)
    if count < 2:
        yield bar(map(function, values), total=len(values), **shown)
        return
    with multiprocessing.Pool(count, initializer=_start) as pool:
        yield bar(pool.imap(function, values, chunksize=chunk), total=len(values), **shown)
