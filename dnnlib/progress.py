"""The progress bar of everything that takes long: how far, how fast, how long still."""

import sys

from tqdm import tqdm


def bar(iterable=None, *, what='', unit='', **more):
    """A tqdm bar on stderr; in a log file, where it cannot redraw itself, it speaks rarely.

    more: tqdm's own total, initial, leave, disable, unit_scale.
    """
    return tqdm(iterable, desc=what or None, unit=unit, smoothing=0.05,
                mininterval=0.2 if sys.stderr.isatty() else 20, **more)
