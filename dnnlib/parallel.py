"""Synchronous data parallelism on TensorFlow's own collective runtime, one process per GPU.

The processes are called workers. TF_CONFIG lists them all and says which one this is:

    {"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}

Each worker computes the gradients of its share of a minibatch. An all-reduce gives all of them the
mean, over gRPC or, on GPUs, NCCL. Worker 0 alone writes files. Without TF_CONFIG there is one
worker, and nothing here adds to its graph or changes a number.

All workers must build the same graphs and run the same collectives in the same order, else all
wait for ever. So whatever decides about that, as when to stop, has to be the same for all.
"""

import contextlib
import hashlib
import itertools
import json
import os
import pathlib
import platform
import socket
import sys
import threading
import time
import uuid

from dnnlib import progress, tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf

LOST = 75  # exit code of a worker that stops because another one did: EX_TEMPFAIL, try again
_BUCKET = 1 << 22  # elements that travel together: one message of gigabytes is slow, and can fail
_POLL, _REMIND = 0.2, 30  # seconds between two looks at the notes, and two lines about waiting
_LATE = 10  # times the timeout: how long a worker may take to start
# How an HTTP/2 client begins, and so gRPC: its preface and an empty SETTINGS frame.
_HELLO = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


def _read_config(text):
    """TF_CONFIG -> (addresses of all workers, index of this one). Raises UserError."""
    example = ('{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
               '"task": {"type": "worker", "index": 0}}')
    try:
        config = json.loads(text or '{}')
        cluster = config.get('cluster', {})
        chiefs, workers = cluster.get('chief', []), cluster.get('worker', [])
        task = config.get('task', {})
        index = int(task.get('index', 0)) + (len(chiefs) if task.get('type') == 'worker' else 0)
        found = [str(address) for address in chiefs + workers]
        wrong = ([kind for kind in cluster if kind not in ('chief', 'worker')]
                 or [address for address in found if not address.rpartition(':')[2].isdigit()]
                 or sorted({address for address in found if found.count(address) > 1}))
    except (ValueError, TypeError, AttributeError):
        raise UserError(f'TF_CONFIG is not as expected: {example}')
    if wrong:
        raise UserError(f'TF_CONFIG is not as expected at {wrong[0]}: {example}')
    if not 0 <= index < max(1, len(found)):
        raise UserError(f'TF_CONFIG has {len(found)} workers but says that this is number {index}; '
                        'they count from 0')
    return found, index


addresses, rank = _read_config(os.environ.get('TF_CONFIG'))
size = max(1, len(addresses))  # how many workers there are


# --- Collectives: ops that all workers run together.

_keys = itertools.count(1)  # of collectives: never twice in a process, equal in all of them
_GPU = size > 1 and bool(tf.config.experimental.list_physical_devices('GPU'))


def _all_reduce(tensor, final_op):
    with tf.device(f"/job:worker/replica:0/task:{rank}/device:{'GPU' if _GPU else 'CPU'}:0"):
        return tf.raw_ops.CollectiveReduce(
            input=tensor, group_size=size, group_key=1, instance_key=next(_keys), merge_op='Add',
            final_op=final_op, subdiv_offsets=[0])


def _reduced(tensors, final_op):
    """All-reduce tensors of one type -> list; they travel together in buckets, in their order."""
    result, bucket = [], []
    for number, tensor in enumerate(tensors, 1):
        bucket.append(tensor)
        sizes = [each.shape.num_elements() for each in bucket]
        if sum(sizes) >= _BUCKET or number == len(tensors):
            flat = tf.concat([tf.reshape(each, [-1]) for each in bucket], 0)
            parts = tf.split(_all_reduce(flat, final_op), sizes)
            result += [tf.reshape(part, each.shape) for part, each in zip(parts, bucket)]
            bucket = []
    return result


def average(tensors):
    """The means over all workers of float32 tensors of static shapes, a list."""
    if size == 1:
        return list(tensors)
    return _reduced([tf.convert_to_tensor(tensor) for tensor in tensors], 'Div')


def broadcast(variables):
    """An op that gives all workers the values of worker 0.

    It is an all-reduce of these values and zeros. What is not float32 travels as float64, so
    integers are exact up to 2^53.
    """
    updates = []
    for dtype, single in ((tf.float32, True), (tf.float64, False)):
        chosen = [v for v in variables if (v.dtype.base_dtype == tf.float32) == single
                  and size > 1]
        values = [tf.cast(tf.identity(v), dtype) for v in chosen]
        sent = values if rank == 0 else [tf.zeros_like(value) for value in values]
        updates += [tf.assign(v, tf.cast(value, v.dtype.base_dtype))
                    for v, value in zip(chosen, _reduced(sent, 'Id'))]
    return tf.group(*updates)


class Sum:
    """Sums over the workers of numbers that each one computes in Python: float64 [count]."""

    def __init__(self, count):
        if size > 1:
            self._given = tf.placeholder(tf.float64, [count])
            self._sum = _all_reduce(self._given, 'Id')

    def __call__(self, sess, values):
        """values: a list of `count` numbers -> an array of their sums. All workers call it."""
        return run(sess, self._sum, {self._given: values}) if size > 1 else values


# --- Sessions, in which the workers are connected.

_open = {}  # 'server': that of TensorFlow, which a process cannot close; 'notes': the _Notes
_waiting = []  # since when this worker has been in a collective, or nothing


def session(threads=0, bfloat16=False):
    """As tflib.session; with several workers, inside of `joined`.

    Then all sessions of a process share variables of one name, which have to have one shape.
    """
    if size == 1:
        return tflib.session(threads, bfloat16)
    config = _connected(tflib.config(threads, bfloat16))
    with tflib.quiet():
        return tf.Session(_open['server'].target, config=config)


def run(sess, fetches, feed=None):
    """sess.run of what holds collectives; long waits for the other workers are reported."""
    _waiting.append(time.time())
    try:
        return sess.run(fetches, feed)
    finally:
        _waiting.clear()


def _connected(config):
    """A ConfigProto with what collectives need."""
    # Without the filter the end of one worker's step aborts the collectives of all others.
    config.device_filters[:] = [f'/job:worker/replica:0/task:{rank}']
    config.experimental.collective_group_leader = '/job:worker/replica:0/task:0'
    config.experimental.collective_nccl = _GPU
    config.experimental.collective_deterministic_sequential_execution = True
    return config


# --- Notes: what workers tell each other outside of collectives, kept by worker 0.

class _Notes:
    """Texts by name, in a table in the memory of worker 0, which all workers read and write.

    TensorFlow has no table from strings to strings: the keys are random numbers.
    """

    def __init__(self):
        with tf.Graph().as_default() as graph, tf.device('/job:worker/task:0/device:CPU:0'):
            table = tf.raw_ops.MutableHashTableV2(key_dtype=tf.int64, value_dtype=tf.string,
                                                  shared_name='notes')
            self._key, self._note = [tf.placeholder(dtype, [1]) for dtype in (tf.int64, tf.string)]
            self._write = tf.raw_ops.LookupTableInsertV2(
                table_handle=table, keys=self._key, values=self._note)
            self._read = tf.raw_ops.LookupTableExportV2(
                table_handle=table, Tkeys=tf.int64, Tvalues=tf.string)
        self._session = tf.Session('grpc://' + addresses[0], graph, tf.ConfigProto(
            device_filters=['/job:worker/task:0'], operation_timeout_in_ms=60000))

    def write(self, name, text=''):
        """Add a note, for good."""
        self._session.run(self._write, {self._key: [uuid.uuid4().int >> 66],
                                        self._note: [f'{name}\n{text}']})

    def read(self, prefix):
        """{rest of the name: text} of all notes whose names begin with a prefix and a slash."""
        notes = [note.decode().partition('\n') for note in self._session.run(self._read)[1]]
        return {name[len(prefix) + 1:]: text for name, _, text in notes
                if name.startswith(prefix + '/')}

    def wait(self, prefix, ranks, seconds=None):
        """Wait until each of these workers has written PREFIX/RANK..., or for so many seconds.

        -> {rest of the name: text}.
        """
        began, reminder = time.time(), _Reminder()
        while True:
            notes = self.read(prefix)
            missing = set(ranks) - {int(name.split('/')[0]) for name in notes}
            if not missing or (seconds and time.time() - began > seconds):
                return notes
            reminder.waiting(missing)
            time.sleep(_POLL)


class _Reminder:
    """Says now and then which workers are being waited for."""

    def __init__(self):
        self._next = time.time() + _REMIND

    def waiting(self, ranks):
        """These are not there yet, if any."""
        if ranks and time.time() > self._next:
            self._next = time.time() + _REMIND
            _say(f'waiting for {_listed(ranks)}')


def _listed(ranks):
    return ', '.join(f'worker {each} ({addresses[each]})' for each in sorted(ranks)[:4])


def _say(line):
    progress.end()
    print(line, file=sys.stderr, flush=True)


_turns = itertools.count()  # of `from_first`


def from_first(value=None):
    """What worker 0 passes here, JSON-able, on all workers; the others wait until it does so."""
    if size == 1:
        return value
    prefix = f'turn-{next(_turns)}'
    if rank == 0:
        _open['notes'].write(f'{prefix}/0', json.dumps(value))
        return value
    return json.loads(_open['notes'].wait(prefix, [0])['0'])


# --- Joining and leaving.

def _code():
    """16 hexadecimal digits of the source of this program."""
    total = hashlib.sha256()
    for package in sorted(pathlib.Path(__file__).parents[1].glob('*/__init__.py')):
        for path in sorted(package.parent.glob('**/*.py')):
            total.update(path.read_bytes())
    return total.hexdigest()[:16]


def _start_server(threads):
    try:
        with tflib.quiet():
            _open['server'] = tf.train.Server(
                {'worker': addresses}, job_name='worker', task_index=rank,
                config=_connected(tflib.config(threads)))
    except tf.errors.OpError as error:
        raise UserError(
            f'worker {rank} cannot listen on the port of {addresses[rank]}: another process has it '
            f'or is worker {rank} as well; give each its own index in TF_CONFIG '
            f'({str(error).splitlines()[0]})')


def _give_up(late, seconds):
    """End this process because these workers have not come."""
    _say(f'error: {_listed(late)} did not start within {seconds} s, so worker {rank} stops; start '
         'all workers again')
    sys.exit(LOST)


def _refuse_unlike(members):
    """Raise UserError if a worker is there twice or differs from worker 0.

    members: 'RANK/TOKEN' -> JSON of 'who' and of 'facts'.
    """
    first = None
    for name, text in sorted(members.items(), key=lambda member: int(member[0].split('/')[0])):
        each = dict(json.loads(text), rank=int(name.split('/')[0]))
        if first is None:
            first = previous = each
            continue
        if each['rank'] == previous['rank']:
            raise UserError(f"{previous['who']} and {each['who']} both are worker {each['rank']} "
                            'by their TF_CONFIG; give each process its own index')
        for fact, value in first['facts'].items():
            other = each['facts'].get(fact)
            if other != value:
                raise UserError(
                    f"worker {each['rank']} ({each['who']}) differs from worker {first['rank']}: "
                    f'{fact} is {other}, not {value}; start all with the same command, code and '
                    'data')
        previous = each


def _join(options):
    """Connect this worker with all others, or raise UserError."""
    _start_server(options.get('threads', 0))
    timeout, began, reminder = options.get('worker_timeout', 60), time.time(), _Reminder()
    while not _answers(0, timeout / 4):
        if time.time() - began > _LATE * timeout:
            _give_up({0}, _LATE * timeout)
        reminder.waiting({0})
        time.sleep(_POLL)
    notes = _open['notes'] = _Notes()
    facts = dict(options, **{'TensorFlow': tf.__version__, 'the code': _code()})
    notes.write(f'join/{rank}/{uuid.uuid4().hex}', json.dumps(
        {'who': f'process {os.getpid()} on {platform.node()}', 'facts': facts}))
    if rank > 0:
        _watch_each([0], timeout)
    late = {rank}
    while late:
        members = notes.read('join')
        try:
            _refuse_unlike(members)
        except UserError:
            if rank == 0:
                time.sleep(10 * _POLL)  # until all others have read it too
            raise
        late = set(range(size)) - {int(name.split('/')[0]) for name in members}
        if late and (time.time() - began > _LATE * timeout or notes.read('late')):
            notes.write(f'late/{rank}')
            if rank == 0:
                time.sleep(10 * _POLL)  # until all others have read it, or they would name this one
            _give_up(late, _LATE * timeout)
        reminder.waiting(late)
        time.sleep(_POLL)
    _watch_each([peer for peer in range(1, size) if peer != rank], timeout)
    threading.Thread(target=_remind, args=(timeout,), daemon=True).start()


def _leave(timeout):
    """Wait until all workers are here, so that nobody's end is taken for a failure."""
    notes = _open['notes']
    notes.write(f'end/{rank}')
    notes.wait('end', range(size))
    _leaving.set()
    if rank == 0:
        notes.wait('gone', range(1, size), timeout)
    else:
        notes.write(f'gone/{rank}')


@contextlib.contextmanager
def joined(options, stopped):
    """Inside, this is one of the workers; the block ends when all of them are at its end.

    options: JSON-able, must be equal for all workers; 'threads' and 'worker_timeout', seconds after
    which a worker that does not answer counts as lost, are used here. stopped: the exception by
    which all workers leave the block together; with any other one this worker leaves alone.
    Raises UserError. If another worker is lost, this process ends with exit code LOST.
    """
    if size == 1:
        yield
        return
    timeout = options.get('worker_timeout', 60)
    try:
        _join(options)
        try:
            yield
        except stopped:
            _leave(timeout)
            raise
        _leave(timeout)
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError,
            tf.errors.DeadlineExceededError, tf.errors.FailedPreconditionError,
            tf.errors.InternalError) as error:
        time.sleep(timeout + 5)  # usually another worker was lost, and this process ends here
        raise UserError(f'the connection of the workers broke: {str(error).splitlines()[0]}; start '
                        'all of them again, and the training continues from its last checkpoint')
    finally:
        _leaving.set()


# --- The watch: TensorFlow 1 waits for ever for a worker that has ended, both for one that hangs.

_leaving = threading.Event()
_ending = threading.Lock()


def _connection(peer, seconds):
    host, port = addresses[peer].rsplit(':', 1)
    connection = socket.create_connection((host, int(port)), seconds)
    connection.sendall(_HELLO)
    return connection


def _answers(peer, seconds):
    """Whether the gRPC server of a worker answers, which it does whatever Python is busy with."""
    try:
        with _connection(peer, seconds) as connection:
            return bool(connection.recv(1))
    except OSError:
        return False


def _watch(peer, timeout):
    """End this process soon after that of another worker ends or ceases to answer."""
    seen = time.time()
    while not _leaving.is_set():
        try:
            with _connection(peer, timeout / 4) as connection:
                while connection.recv(1 << 12):  # '' at once when that process ends
                    seen = time.time()
        except ConnectionRefusedError:
            _lost(peer, 'has ended')
        except OSError:  # also if nothing came for a while: ask again
            pass
        if time.time() - seen > timeout:
            _lost(peer, f'has not answered for {timeout} s')
        time.sleep(0.05)


def _lost(peer, what):
    with _ending:
        time.sleep(1)  # within which this worker notices that all are leaving, if so
        if _leaving.is_set():
            return
        _say(f'error: worker {peer} ({addresses[peer]}) {what}, so worker {rank} stops; start all '
             'workers again, and the training continues from its last checkpoint')
        sys.stdout.flush()
        time.sleep(1)  # so that the others notice that one first, and not this one
        os._exit(LOST)


def _remind(timeout):
    """Say when this worker has been waiting for the others for long."""
    while not _leaving.wait(timeout / 4):
        waited = time.time() - min(_waiting, default=time.time())
        if waited > timeout:
            _say(f'worker {rank} has been waiting for the others for {waited:.0f} s; all of them '
                 'still answer')


def _watch_each(ranks, timeout):
    for peer in ranks:
        threading.Thread(target=_watch, args=(peer, timeout), daemon=True).start()
