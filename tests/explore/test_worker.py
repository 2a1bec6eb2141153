"""The queue: what comes first, what is dropped, what is cancelled, and that nothing ends it."""

import threading
import time

import pytest

from dnnlib.files import UserError
from explore import worker


@pytest.fixture
def own():
    made = worker.Worker()
    yield made
    made.close()


def _started(own, gate, steps=1000, ended=None):
    """A long job that waits for a gate and then works until it is cancelled; it notes its end."""
    def work(job):
        gate.wait(10)
        for step in range(steps):
            job.report('progress', done=step / steps)
            own.between()
            time.sleep(0.001)
        if ended is not None:
            ended.append('long')
        return 'long'
    return own.submit(work, long=True)


def test_results_and_mistakes_reach_who_asked(own):
    assert own.do(lambda: 7) == 7

    def refuse():
        raise UserError('no')
    with pytest.raises(UserError, match='no'):
        own.do(refuse)
    assert own.do(lambda: 8) == 8


def test_a_fault_of_the_program_is_shown_and_the_next_job_runs(own, capfd):
    with pytest.raises(worker.Broken):
        own.do(lambda: 1 // 0)
    assert own.do(lambda: 8) == 8
    assert 'ZeroDivisionError' in capfd.readouterr().err


def test_short_jobs_run_while_a_long_one_works(own):
    gate, ended = threading.Event(), []
    long = _started(own, gate, ended=ended)
    short = own.submit(lambda job: ended.append('short'))
    gate.set()
    short.result()
    assert long.result() == 'long' and ended == ['short', 'long']


def test_of_jobs_with_one_key_the_newest_runs(own):
    gate, ran = threading.Event(), []
    blocked = own.submit(lambda job: gate.wait(10))
    jobs = [own.submit(lambda job, n=n: ran.append(n), key='slider') for n in range(3)]
    other = own.submit(lambda job: ran.append('other'), key='another')
    gate.set()
    for job in jobs[:2]:
        with pytest.raises(worker.Dropped):
            job.result()
    assert blocked.result() and jobs[2].result() is None and other.result() is None
    assert ran == [2, 'other']


def test_events_come_in_order_and_the_result_last(own):
    def work(job):
        for done in (0.5, 1.0):
            job.report('progress', done=done)
        return 'it'
    events = list(own.submit(work, long=True).events(5))
    assert events == [('progress', {'done': 0.5}), ('progress', {'done': 1.0}), ('result', 'it')]


def test_closing_the_events_cancels_the_work(own):
    gate = threading.Event()
    gate.set()
    job = _started(own, gate, steps=100000)
    events = job.events(5)
    assert next(events)[0] == 'progress'
    events.close()
    assert own.submit(lambda job: 'next', long=True).result() == 'next'
    with pytest.raises(worker.Cancelled):
        job.result()


def test_a_job_that_is_cancelled_before_it_begins_never_runs(own):
    gate, ran = threading.Event(), []
    own.submit(lambda job: gate.wait(10))
    job = own.submit(lambda job: ran.append(1), long=True)
    job.cancel()
    gate.set()
    with pytest.raises(worker.Cancelled):
        job.result()
    assert ran == []


def test_a_silent_stream_speaks_and_knows_its_place(own):
    gate = threading.Event()
    first = _started(own, gate, steps=1)
    second = own.submit(lambda job: 'it', long=True)
    events = second.events(0.05)
    assert next(events) == ('idle', {}) and own.waiting(second) == 1
    gate.set()
    assert [event for event in events if event[0] != 'idle'] == [('result', 'it')]
    assert first.result() == 'long' and own.waiting(second) == 0


def test_cancelled_jobs_leave_their_place_to_others(own):
    gate = threading.Event()
    own.submit(lambda job: gate.wait(10))
    for _ in range(500):
        own.submit(lambda job: None, long=True).cancel()
    gate.set()
    assert own.submit(lambda job: 'it', long=True).result() == 'it'


def test_too_many_jobs_are_refused_with_a_sentence(own):
    gate = threading.Event()
    own.submit(lambda job: gate.wait(10))
    with pytest.raises(worker.Busy, match='too many requests at once'):
        for _ in range(100):
            own.submit(lambda job: None, long=True)
    gate.set()
    assert own.do(lambda: 1) == 1
