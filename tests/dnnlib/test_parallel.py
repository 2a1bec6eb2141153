"""TF_CONFIG is read and refused; without it nothing is added to a graph; unlike workers are named.

What several workers train is in tests/commands/test_run_parallel.py.
"""

import json
import socket
import threading

import numpy as np
import pytest

from dnnlib import parallel, tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf


def _config(cluster, kind='worker', index=0):
    return json.dumps({'cluster': cluster, 'task': {'type': kind, 'index': index}})


def test_tf_config_lists_the_workers():
    both = {'worker': ['a:1', 'b:2']}
    assert parallel._read_config(None) == ([], 0)
    assert parallel._read_config(_config(both, index=1)) == (['a:1', 'b:2'], 1)
    chief = dict(both, chief=['c:3'])  # it is the first, as in a TFJob with a chief
    assert parallel._read_config(_config(chief, 'chief')) == (['c:3', 'a:1', 'b:2'], 0)
    assert parallel._read_config(_config(chief, index=1)) == (['c:3', 'a:1', 'b:2'], 2)


@pytest.mark.parametrize(('text', 'message'), (
    ('{', 'TF_CONFIG is not as expected: {"cluster"'),
    ('[]', 'TF_CONFIG is not as expected: {"cluster"'),
    (_config({'worker': ['a:1']}, index='x'), 'TF_CONFIG is not as expected: {"cluster"'),
    (_config({'worker': ['a:1', 'a']}), 'TF_CONFIG is not as expected at a: {'),
    (_config({'worker': ['a:1', 'a:1']}), 'TF_CONFIG is not as expected at a:1: {'),
    (_config({'worker': ['a:1'], 'ps': ['b:1']}), 'TF_CONFIG is not as expected at ps: {'),
    (_config({'worker': ['a:1', 'b:1']}, index=2), 'has 2 workers but says that this is number 2')))
def test_a_wrong_tf_config_is_refused(text, message):
    with pytest.raises(UserError, match=message.replace('{', '[{]')):
        parallel._read_config(text)


def test_one_worker_adds_nothing():
    assert (parallel.size, parallel.rank) == (1, 0)
    with tf.Graph().as_default() as graph, parallel.session(1) as sess:
        x = tf.Variable([1.0, 2.0])
        gradients, before = [tf.zeros([2])], len(graph.get_operations())
        assert parallel.average(gradients) == gradients
        total = parallel.Sum(3)
        assert len(graph.get_operations()) == before
        assert total(sess, [1, 2, 3]) == [1, 2, 3]
        sess.run(tf.global_variables_initializer())
        sess.run(parallel.broadcast([x]))
        assert not [op for op in graph.get_operations() if 'Collective' in op.type]
    assert parallel.from_first({'a': 1}) == {'a': 1}
    with parallel.joined({}, KeyboardInterrupt):
        assert 'server' not in parallel._open


def _member(rank, token, who='process 1 on x', **facts):
    return f'{rank}/{token}', json.dumps({'who': who, 'facts': facts})


def test_members_that_differ_are_named():
    same = [_member(rank, f't{rank}', seed=1, data='abc') for rank in range(11)]
    parallel._refuse_unlike(dict(same))
    with pytest.raises(UserError, match=r'worker 10 \(process 2 on y\) differs from worker 0: '
                                        'data is xyz, not abc; start all with the same command'):
        parallel._refuse_unlike(dict(same[:10] + [
            _member(10, 't', 'process 2 on y', seed=1, data='xyz')]))
    with pytest.raises(UserError, match='process 1 on x and process 3 on z both are worker 2 by'):
        parallel._refuse_unlike(dict(same[:3] + [
            _member(2, 'u', 'process 3 on z', seed=1, data='abc')]))


class _Notes:
    """Notes of workers of which number 1 has not come, and worker 0 has given up."""

    def __init__(self):
        self.notes = {'join': dict([_member(0, 't', seed=1), _member(2, 't', seed=1)]),
                      'late': {'0': ''}}

    def read(self, prefix):
        return self.notes[prefix]

    def write(self, name, text=''):
        self.notes[name.split('/')[0]].setdefault(name.split('/', 1)[1], text)


def test_who_has_time_left_names_the_late_worker_too(monkeypatch, capsys):
    """Or it would say of worker 0 that it has ended."""
    for name, value in dict(size=3, rank=2, addresses=['a:1', 'b:2', 'c:3'], _Notes=_Notes,
                            _open={}, _start_server=lambda threads: None,
                            _answers=lambda *_: True, _watch_each=lambda *_: None,
                            _refuse_unlike=lambda members: None).items():
        monkeypatch.setattr(parallel, name, value)
    with pytest.raises(SystemExit, match=f'{parallel.LOST}'):
        parallel._join({'worker_timeout': 60})
    assert 'error: worker 1 (b:2) did not start within 600 s, ' in capsys.readouterr().err


def test_only_what_answers_is_alive(monkeypatch):
    """A gRPC server answers the beginning of HTTP/2; a process that hangs only takes the call."""
    silent = socket.socket()
    silent.bind(('localhost', 0))
    silent.listen(1)
    server = tf.train.Server.create_local_server(config=tflib.config(1))
    monkeypatch.setattr(parallel, 'addresses', [
        server.target[len('grpc://'):], f'localhost:{silent.getsockname()[1]}'])
    assert parallel._answers(0, 5)
    assert not parallel._answers(1, 0.2)
    silent.close()
    assert not parallel._answers(1, 0.2)


def test_a_silent_worker_is_lost_after_the_timeout(monkeypatch):
    silent, lost = socket.socket(), threading.Event()
    silent.bind(('localhost', 0))
    silent.listen(5)
    monkeypatch.setattr(parallel, 'addresses', ['', f'localhost:{silent.getsockname()[1]}'])
    monkeypatch.setattr(parallel, '_leaving', lost)  # ends the watch
    said = []

    def note(peer, what):
        said.append((peer, what))
        lost.set()
    monkeypatch.setattr(parallel, '_lost', note)
    watch = threading.Thread(target=parallel._watch, args=(1, 0.4))
    watch.start()
    assert lost.wait(10)
    watch.join()
    assert said == [(1, 'has not answered for 0.4 s')]
    silent.close()


def test_buckets_keep_order_and_shapes(monkeypatch):
    monkeypatch.setattr(parallel, '_BUCKET', 5)
    sent = []

    def all_reduce(tensor, final_op):
        sent.append(tensor.shape.as_list())
        return 2 * tensor
    monkeypatch.setattr(parallel, '_all_reduce', all_reduce)
    with tf.Graph().as_default(), tflib.session(1) as sess:
        tensors = [np.arange(n, dtype=np.float32).reshape(shape) for n, shape in (
            (4, [2, 2]), (2, [2]), (1, []), (6, [3, 2]), (3, [3]))]
        results = sess.run(parallel._reduced([tf.constant(each) for each in tensors], 'Div'))
    assert sent == [[6], [7], [3]]
    for tensor, result in zip(tensors, results):
        assert np.array_equal(result, 2 * tensor) and result.shape == tensor.shape
