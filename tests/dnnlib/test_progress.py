"""Errors stand on lines of their own, below the bar that they interrupted; items computed ahead
keep their order.
"""

import io
import sys
import threading

import pytest

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


def test_one_item_is_computed_ahead():
    started, used = [threading.Event() for _ in range(4)], []

    def items():
        for index, event in enumerate(started):
            event.set()
            yield index
    for item in progress.ahead(items()):
        used.append(item)
        assert all(event.wait(5) for event in started[:item + 2])
        assert not any(event.is_set() for event in started[item + 2:])
    assert used == [0, 1, 2, 3]


def test_an_error_comes_in_the_place_of_its_item():
    def items():
        yield 1
        raise OSError('no more')
    ahead = progress.ahead(items())
    assert next(ahead) == 1
    with pytest.raises(OSError, match='no more'):
        next(ahead)


def test_what_is_computed_ahead_can_be_left():
    before = threading.active_count()
    ahead = progress.ahead(iter(int, 1))  # without end
    assert next(ahead) == 0
    ahead.close()
    assert threading.active_count() == before
