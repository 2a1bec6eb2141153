"""The one thread that computes. TensorFlow sessions are used nowhere else.

Requests become jobs in a queue. Short ones, such as one image, come first. A long one, such as a
projection, calls `between` many times a second: there the waiting short jobs get their turn, so
that a slider moves while a photo is projected, and there a cancelled job ends.
"""

import collections
import concurrent.futures
import queue
import threading
import traceback

from dnnlib.files import UserError

_MOST_SHORT, _MOST_LONG = 200, 40  # jobs that may wait


class Dropped(Exception):
    """A newer job with the same key has taken this one's place before it began."""


class Cancelled(Exception):
    """The job was cancelled: nobody waits for its result."""


class Broken(Exception):
    """The job failed by a fault of the program; the terminal shows it."""


class Busy(UserError):
    """More jobs wait than can be done in time."""


class Job:
    """Work in the queue.

    work: a function of this job, run by the worker; it may call `report` to tell of its progress.
    key:  a waiting job with an equal key is dropped when a newer one comes; None for none.
    """

    def __init__(self, work, key):
        self.key, self.cancelled = key, False
        self._work, self._messages = work, queue.Queue()

    def report(self, kind, **facts):
        """Tell the client how far the work is. kind: such as 'progress'. facts: JSON-able."""
        self._messages.put(('event', (kind, facts)))

    def cancel(self):
        """End the job at its next chance."""
        self.cancelled = True

    def fail(self, error):
        """End the job with an exception, which its `result` raises."""
        self._messages.put(('error', error))

    def run(self):
        """Do the work, in the worker's thread."""
        if self.cancelled:
            self.fail(Cancelled())
            return
        try:
            self._messages.put(('result', self._work(self)))
        except (UserError, OSError, Cancelled) as error:
            self.fail(error)
        finally:  # an exception that nobody foresaw must not leave the client waiting
            self.fail(Broken())

    def result(self):
        """Wait for the end of the work and return its result, or raise its exception."""
        while True:
            kind, content = self._messages.get()
            if kind == 'error':
                raise content
            if kind == 'result':
                return content

    def events(self, patience):
        """Yield ('progress', facts) and the like until ('result', value), which comes last.

        After `patience` seconds without news yields ('idle', {}). Raises the exception of the work.
        Closing the generator cancels the job.
        """
        try:
            kind = ''
            while kind != 'result':
                try:
                    kind, content = self._messages.get(timeout=patience)
                except queue.Empty:
                    yield 'idle', {}
                    continue
                if kind == 'error':
                    raise content
                yield content if kind == 'event' else (kind, content)
        finally:
            self.cancel()


class Worker:
    """The thread and its queue. `close` ends it after the job that it is at."""

    def __init__(self):
        self._short, self._long = collections.deque(), collections.deque()
        self._lock, self._current = threading.Lock(), None
        self._thread = concurrent.futures.ThreadPoolExecutor(1, 'worker')

    def submit(self, work, key=None, long=False):
        """Put a job into the queue -> Job. Parameters: see Job. Raises Busy."""
        job = Job(work, key)
        with self._lock:
            waiting, most = (self._long, _MOST_LONG) if long else (self._short, _MOST_SHORT)
            for older in list(waiting):
                if older.cancelled or (key and older.key == key):
                    waiting.remove(older)
                    older.fail(Cancelled() if older.cancelled else Dropped())
            if len(waiting) >= most:
                raise Busy('too many requests at once; try again in a moment')
            waiting.append(job)
        self._thread.submit(self._turn).add_done_callback(_complain)
        return job

    def do(self, work, key=None):
        """The result of a short job. work: a function without arguments. Raises Busy, Dropped."""
        return self.submit(lambda job: work(), key).result()

    def between(self):
        """To be called by long work between two steps. Raises Cancelled if it has been cancelled.
        """
        job = self._current
        if job is None:  # a short job, or one that is not the worker's
            return
        if job.cancelled:
            raise Cancelled
        self._current = None
        try:
            for _ in range(len(self._short)):  # those that wait now: the long job goes on, too
                self._turn(short_only=True)
        finally:
            self._current = job

    def waiting(self, job):
        """How many long jobs come before this one."""
        with self._lock:
            return self._long.index(job) + 1 if job in self._long else 0

    def _next(self, short_only):
        with self._lock:
            if self._short:
                return self._short.popleft(), False
            if self._long and not short_only:
                return self._long.popleft(), True
            return None, False

    def _turn(self, short_only=False):
        """Run the most urgent job, if there is one left."""
        job, long = self._next(short_only)
        if job is None:
            return
        self._current = job if long else None
        try:
            job.run()
        finally:
            self._current = None

    def close(self):
        """Cancel everything and wait for the end of the thread."""
        with self._lock:
            for job in [*self._short, *self._long] + [self._current] * bool(self._current):
                job.cancel()
        self._thread.shutdown()


def _complain(future):
    """Print an exception that nobody foresaw."""
    error = future.exception()
    if error:
        traceback.print_exception(type(error), error, error.__traceback__)
