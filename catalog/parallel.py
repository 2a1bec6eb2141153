"""Work on many pictures, spread over processes."""

import contextlib
import multiprocessing
import os
import signal


def processes():
    """How many processes this one may use: the cores that it is allowed to run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()


def _ignore_interrupts():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def ordered_map(function, values, count=None, chunk=8):
    """`map` over `count` processes (default: one a core): an iterator of the results in order.

    Each process is given `chunk` values at a time; fewer than one such chunk each are done here.
    function, a module's own or a partial of one, and the values go to the processes by pickle.
    Leaving the block ends the processes; of Ctrl-C they hear nothing, it is this one's business.
    """
    values = list(values)
    count = min(count or processes(), len(values) // chunk)
    if count < 2:
        yield map(function, values)
        return
    with multiprocessing.Pool(count, initializer=_ignore_interrupts) as pool:
        yield pool.imap(function, values, chunksize=chunk)
