"""The progress bar of everything that takes long: how far, how fast, how long still."""

import sys
import weakref

from tqdm import tqdm

_bars = weakref.WeakSet()


def bar(iterable=None, *, what='', unit='', **more):
    """A tqdm bar on stderr; in a log file, where it cannot redraw itself, it speaks rarely.

    more: tqdm's own total, initial, leave, disable, unit_scale.
    """
    shown = tqdm(iterable, desc=what or None, unit=unit, smoothing=0.05,
                 mininterval=0.2 if sys.stderr.isatty() else 20, **more)
    _bars.add(shown)
    return shown


def end():
    """End every bar that an error interrupted, so that the next line stands on its own."""
    for each in list(_bars):
        each.close()
