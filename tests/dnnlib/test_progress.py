"""Bars are seen in every terminal; errors stand on lines of their own, below an interrupted bar."""

import io
import os
import pty
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


def test_a_terminal_without_a_size_shows_bars(monkeypatch):
    master, slave = pty.openpty()  # 0 columns, as in some containers
    os.set_blocking(master, False)
    with os.fdopen(slave, 'w') as terminal, os.fdopen(master, 'rb', 0) as screen:
        monkeypatch.setattr(sys, 'stderr', terminal)
        bar = progress.bar(total=9, what='drawing', unit='image')
        assert b'drawing:   0%' in (screen.read(1000) or b'')
        bar.close()
