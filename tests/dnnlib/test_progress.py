"""Errors stand on lines of their own, below the bar that they interrupted."""

import io
import sys

from dnnlib import progress


def test_bars_that_were_interrupted_are_ended(monkeypatch):
    terminal = io.StringIO()
    monkeypatch.setattr(sys, 'stderr', terminal)
    with progress.bar(range(3), what='drawing', unit='image') as finished:
        list(finished)
    interrupted = progress.bar(total=9)
    assert not terminal.getvalue().endswith('\n')
    progress.end()
    assert interrupted.disable and terminal.getvalue().endswith('\n')
    shown = terminal.getvalue()
    progress.end()
    assert terminal.getvalue() == shown
