"""Released pickles are read exactly, in every spelling; what else a pickle can do is refused, and
not done."""

import collections
import copyreg
import hashlib
import json
import lzma
import os
import pathlib
import pickle
import struct
import sys
import time
import tracemalloc
import types

import numpy as np
import pytest
import toy_released

from dnnlib.files import UserError
from stylegan.released import pickles

DATA = pathlib.Path(__file__).parents[2] / 'data' / 'stylegan'
PROTOCOLS = range(2, pickle.HIGHEST_PROTOCOL + 1)
CALLS = []


def touch(*values):
    """What an attack would run."""
    CALLS.append(values)
    return values


def _read(tmp_path, data):
    (tmp_path / 'a.pkl').write_bytes(data)
    return pickles.read(tmp_path / 'a.pkl')


def _refused(tmp_path, data, match):
    """Insist on a message that names the file and the reason, and on nothing having run."""
    del CALLS[:]
    with pytest.raises(UserError, match=match) as error:
        _read(tmp_path, data)
    assert 'a.pkl: ' in str(error.value) and '\n' not in str(error.value)
    assert not CALLS
    return error.value


def _same(found, networks):
    """Whether what was read is what was pickled."""
    for name, network in zip(('G', 'D', 'Gs'), networks):
        parts = [(network, '')] + [(part, part.name + '/') for part in network.components.values()]
        wanted = {prefix + key: value for part, prefix in parts for key, value in part.variables}
        assert set(found[name].variables) == set(wanted)
        for key, value in found[name].variables.items():
            assert value.dtype == np.float32 and value.shape == np.shape(wanted[key])
            assert np.array_equal(value, wanted[key]), key
        assert found[name].build_func_name == network.build_func_name
        assert found[name].static_kwargs == network.static_kwargs
        assert set(found[name].components) == set(network.components)


# --- What is read.

def test_the_original_programs_own_pickle():
    networks = pickles.read(DATA / 'original_small_clean.pkl')
    expected = json.loads((DATA / 'original_small_expected.json').read_text())
    for name in ('G', 'D', 'Gs'):
        assert [entry['name'] for entry in expected[name]] == list(networks[name].variables)
        for entry in expected[name]:
            value = networks[name].variables[entry['name']]
            assert value.dtype == np.float32 and list(value.shape) == entry['shape']
            assert hashlib.sha256(value.tobytes()).hexdigest() == entry['sha256']
    assert networks['Gs'].build_func_name == 'G_style'
    assert networks['Gs'].components['mapping'].build_func_name == 'G_mapping'
    assert networks['Gs'].components['mapping'].static_kwargs['dlatent_broadcast'] == 8
    assert networks['D'].static_kwargs['fmap_base'] == 256


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_every_protocol(tmp_path, protocol):
    networks = toy_released.networks()
    _same(_read(tmp_path, toy_released.pickled(networks, protocol)), networks)


@pytest.mark.parametrize('protocol', [2, 4])
def test_both_spellings_of_numpy(tmp_path, protocol):
    networks = toy_released.networks()
    data = toy_released.pickled(networks, protocol)
    old, new = b'numpy.core.multiarray', b'numpy._core.multiarray'
    if protocol == 4:  # the text's length stands in front
        old, new = b'\x8c\x15' + old, b'\x8c\x16' + new
    assert (old in data) != (new in data)
    for before, after in [(old, new), (new, old)]:
        _same(_read(tmp_path, data.replace(before, after)), networks)


def _text(text):
    return b'\x8c' + bytes([len(text)]) + text.encode('ascii')


def _global(module, name):
    return _text(module) + _text(name) + b'\x93'


PROTO = b'\x80\x04'
DTYPE = (_global('numpy', 'dtype') + _text('f4') + b'K\x00K\x01\x87R(K\x03' + _text('<')
         + b'NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb')
NETWORK = _global('dnnlib.tflib.network', 'Network')


def _array(shape, data, dtype=DTYPE, state_end=b''):
    """Instructions of an array; shape: instructions of a tuple."""
    return (_global('numpy.core.multiarray', '_reconstruct') + _global('numpy', 'ndarray')
            + b'K\x00\x85C\x01b\x87R(K\x01' + shape + dtype + b'\x89' + data + state_end + b'tb')


# Two numbers: comparing them with anything gives two answers.
PAIR = _global('numpy.core.numeric', '_frombuffer') + b'(C\x0800000000' + (
    DTYPE + b'K\x02\x85' + _text('C') + b'tR')


def _holding(value):
    """A pickle of three networks with one variable `x`, whose value is made by instructions."""
    network = (NETWORK + b')\x81}(' + _text('version') + b'K\x03' + _text('name') + _text('D')
               + _text('static_kwargs') + b'}' + _text('build_func_name') + _text('D_basic')
               + _text('variables') + b'](' + _text('x') + value + b'\x86eub')
    return PROTO + network * 3 + b'\x87.'


@pytest.mark.parametrize('module', ['numpy.core.numeric', 'numpy._core.numeric'])
@pytest.mark.parametrize('bytes_code', [b'B', b'\x96'])
def test_buffers_of_protocol_5(tmp_path, module, bytes_code):
    """Assembled by hand: Python 3.7 does not write this protocol."""
    size = struct.pack('<Q' if bytes_code == b'\x96' else '<I', 24)
    data = np.arange(6, dtype=np.float32)
    value = (_global(module, '_frombuffer') + b'(' + bytes_code + size + data.tobytes() + DTYPE
             + b'K\x02K\x03\x86' + _text('C') + b'tR')
    found = _read(tmp_path, _holding(value))
    assert np.array_equal(found['D'].variables['x'], data.reshape(2, 3))


@pytest.mark.parametrize('kind', ['<f2', '<f4', '>f4', '<f8'])
@pytest.mark.parametrize('order', ['C', 'F'])
def test_arrays_of_every_kind_of_float(tmp_path, kind, order):
    value = np.random.RandomState(0).randn(3, 4, 5).astype(kind)
    networks = toy_released.networks()
    networks[1].variables = [('x', np.array(value, order=order)), ('y', value.flat[0])]
    found = _read(tmp_path, toy_released.pickled(networks))['D'].variables
    assert found['x'].dtype == found['y'].dtype == np.float32
    assert np.array_equal(found['x'], value.astype(np.float32))
    assert found['y'].shape == () and found['y'] == np.float32(value.flat[0])


def test_options_of_old_forks(tmp_path):
    """Ordered and easy dictionaries, numbers of numpy, tuples; parts missing, as in version 2."""
    class EasyDict(dict):
        pass
    EasyDict.__module__, EasyDict.__qualname__ = 'dnnlib.util', 'EasyDict'
    networks = toy_released.networks(version=2)
    networks[1].static_kwargs = collections.OrderedDict(a=np.int64(7), b=(1, 2.5), c=None, d='e')
    del networks[1].components
    networks[2].static_kwargs = EasyDict(f=True)
    before, sys.modules['dnnlib.util'] = sys.modules.get('dnnlib.util'), types.SimpleNamespace(
        EasyDict=EasyDict)
    try:
        data = toy_released.pickled(networks)
    finally:
        del sys.modules['dnnlib.util']
    assert before is None and b'EasyDict' in data
    found = _read(tmp_path, data)
    assert found['D'].static_kwargs == {'a': 7, 'b': [1, 2.5], 'c': None, 'd': 'e'}
    assert found['Gs'].static_kwargs == {'f': True} and found['D'].components == {}


# --- Attacks.

class Attack:
    """Pickled as a call of any function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_commands_are_not_run(tmp_path, protocol):
    marker = tmp_path / 'marker'
    data = pickle.dumps(Attack(os.mkdir, str(marker)), protocol)
    pickle.loads(data)
    assert marker.exists(), 'the attack works on readers that allow it'
    marker.rmdir()
    error = _refused(tmp_path, data, 'names .*mkdir')
    assert 'nothing was run' in str(error) and not marker.exists()


@pytest.mark.parametrize('place', ['variables', 'static_kwargs', 'components'])
def test_calls_are_not_made_wherever_they_stand(tmp_path, place):
    networks = toy_released.networks()
    attack = Attack(touch, 1)
    {'variables': lambda: networks[0].variables.append(('x', attack)),
     'static_kwargs': lambda: networks[0].static_kwargs.update(x=attack),
     'components': lambda: networks[0].components.update(x=attack)}[place]()
    data = toy_released.pickled(networks)
    _refused(tmp_path, data, 'names .*touch')


def test_source_in_the_pickle_is_not_run(tmp_path):
    networks = toy_released.networks()
    networks[0].build_module_src = f"open({str(tmp_path / 'marker')!r}, \"w\")"
    _same(_read(tmp_path, toy_released.pickled(networks)), networks)
    assert not (tmp_path / 'marker').exists()


HERE = _global(__name__, 'touch')
MEMO = (_text('eval') + b'\x94' + _text('builtins') + b'\x94'  # memo 0 and 1
        + b'(h\x01h\x00\x93' + _text('touch()') + b'\x85Rt.')
INERT = _global('numpy.core.multiarray', '_reconstruct')


@pytest.mark.parametrize('data, match', [
    (HERE + b')R.', 'touch'),
    (b'c%s\ntouch\n)R.' % __name__.encode(), 'touch'),
    (MEMO, 'builtins.eval'),
    (_global('numpy', 'load') + b')R.', 'numpy.load'),
    (_global('numpy.core.multiarray', 'fromfile') + b')R.', 'fromfile'),
    (_global('dnnlib.tflib.network', 'Network.__init__') + b')R.', '__init__'),
    (_global('_codecs', 'decode') + b')R.', '_codecs.decode'),
    (_global('_codecs', 'encode') + _text('x') + _text('rot13') + b'\x86R.', 'encodes'),
    (_text('a\nb') + b'K\x01\x93.', 'damaged'),
    (_global('a\nb', 'c' * 100) + b'.', r"'a\\nb.ccc.*\.\.\.'"),
], ids=str)
def test_names_are_refused(tmp_path, data, match):
    _refused(tmp_path, PROTO + data, match)


@pytest.mark.parametrize('data, match', [
    (NETWORK + b')R.', 'must not be called'),
    (_global('numpy', 'ndarray') + b'K\x08\x85\x85R.', 'must not be called'),
    (_global('numpy', 'ndarray') + b'K\x08\x85\x85\x81.', 'must not be called'),
    (INERT + b')\x81.', 'must not be called'),
    (DTYPE + b')R.', 'must not be called'),
    (_array(b'K\x01\x85', b'C\x040000') + b')R.', 'must not be called'),
    (NETWORK + b')\x81)R.', 'must not be called'),
    (_text('touch') + b')R.', 'must not be called'),
    (NETWORK + b'K\x01\x85\x81.', 'with the wrong arguments'),
    (INERT + b')R.', 'wrong arguments|something else'),
    (INERT + NETWORK + b'K\x00\x85C\x01b\x87R.', 'something other than an array'),
    (_global('numpy', 'dtype') + _text('O') + b'K\x00K\x01\x87R.', 'other than numbers'),
    (_global('numpy', 'dtype') + _text('i4,O') + b'K\x00K\x01\x87R.', 'other than numbers'),
    (_global('numpy', 'dtype') + NETWORK + b'K\x00K\x01\x87R.', 'other than numbers'),
    (_global('numpy.core.multiarray', 'scalar') + DTYPE + HERE + b'\x86R.', 'touch'),
    (_global('numpy.core.multiarray', 'scalar') + DTYPE + b']\x86R.', 'other than numbers'),
    (_global('collections', 'OrderedDict') + b']\x85R.', 'with the wrong arguments'),
], ids=str)
def test_only_what_a_network_needs_is_called(tmp_path, data, match):
    _refused(tmp_path, PROTO + data, match)


@pytest.mark.parametrize('target', [
    b'}', b']', b')', b'K\x01', NETWORK, INERT, _global('numpy', 'ndarray'),
    _global('numpy', 'dtype')], ids=str)
@pytest.mark.parametrize('state', [
    b'}' + _text('__setstate__') + b'K\x01s', b'N}' + _text('state') + b'K\x01s\x86'], ids=str)
def test_only_what_a_network_needs_is_filled(tmp_path, target, state):
    _refused(tmp_path, PROTO + target + state + b'b.', 'nothing was run')
    networks = toy_released.networks()
    _same(_read(tmp_path, toy_released.pickled(networks)), networks)


@pytest.mark.parametrize('data, match', [
    (b'Ptouch\n.', 'a persistent id'), (b'K\x01Q.', 'a persistent id'),
    (b'(i%s\ntouch\n.' % __name__.encode(), 'old class'),
    (b'(c%s\ntouch\no.' % __name__.encode(), 'touch'), (NETWORK + b'(o.', 'old class'),
    (NETWORK + b')}\x92.', 'made with keywords'), (b'\x97.', 'a buffer outside'),
    (b'I1\n.', "instruction 'I'"), (b'\x8f.', 'instruction'), (b'0.', "instruction '0'")], ids=str)
def test_other_instructions_are_refused(tmp_path, data, match):
    _refused(tmp_path, PROTO + data, match)


@pytest.mark.parametrize('code', [1, 1000, 100000])
def test_registered_extensions_are_refused(tmp_path, code):
    copyreg.add_extension(__name__, 'touch', code)
    try:
        data = pickle.dumps(Attack(touch, 5), 2)
        del CALLS[:]
        pickle.loads(data)
        assert CALLS, 'the attack works on readers that allow it'
        _refused(tmp_path, data, 'extension code')
    finally:
        copyreg.remove_extension(__name__, 'touch', code)


# --- Arrays that are none.

@pytest.mark.parametrize('value, match', [
    (_array(b'K\x01\x85', b'](NNe'), 'other than numbers'),
    (_array(b'K\x01\x85', b'C\x040000', dtype=b'N'), 'other than numbers'),
    (_array(b'K\x02\x85', b'C\x040000'), '2 numbers for 4 bytes'),
    (_array(b'\x8a\x06\0\0\0\0\0\x01\x85', b'C\x040000'), 'impossible shape'),
    (_array(b'\x8a\x09\0\0\0\0\0\0\0\0\x01K\x00\x86', b'C\x00'), 'impossible shape'),
    (_array(b'J\xff\xff\xff\xffJ\xff\xff\xff\xff\x86', b'C\x040000'), 'impossible shape'),
    (_array(b'(' + b'K\x01' * 40 + b't', b'C\x040000'), 'impossible shape'),
    (_array(b'(' + b'K\x04' * 8 + b't', b'C\x040000'), '65536 numbers for 4 bytes'),
    (_array(b'K\x01\x85', b'C\x040000', state_end=b'N'), 'unknown form'),
    (_global('numpy.core.numeric', '_frombuffer') + b'(C\x040000' + DTYPE + b'K\x01\x85'
     + PAIR + b'tR', 'impossible shape'),
    (_global('numpy', 'dtype') + PAIR + b'K\x00K\x01\x87R', 'other than numbers'),
    (_global('_codecs', 'encode') + _text('x') + PAIR + b'\x86R', 'encodes'),
    (INERT + _global('numpy', 'ndarray') + b'K\x00\x85C\x01b\x87R', 'not an array'),
    (b'K\x01', 'not an array'), (b']', 'not an array'), (NETWORK, 'not an array')], ids=str)
def test_only_whole_arrays_are_variables(tmp_path, value, match):
    _refused(tmp_path, _holding(value), match)


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf, 1e300])
def test_values_that_are_not_finite_are_refused(tmp_path, value):
    networks = toy_released.networks()
    networks[2].variables.append(('x', np.array([1.0, value])))
    _refused(tmp_path, toy_released.pickled(networks), "'x' has values that are not finite")


def test_object_arrays_are_refused(tmp_path):
    networks = toy_released.networks()
    networks[1].variables.append(('x', np.array([None], object)))
    _refused(tmp_path, toy_released.pickled(networks), 'other than numbers')
    networks[1].variables[-1] = 'x', np.array([1, 2])
    _refused(tmp_path, toy_released.pickled(networks), "variable 'x' is not an array of float")
    networks[1].variables[-1] = networks[1].variables[0]
    _refused(tmp_path, toy_released.pickled(networks), "variable 'lod' twice")


# --- Files that grow, loop or end.

def _laughs(kind, levels=60):
    """A container of two of the same container, and so on: 2 ** levels in the end."""
    data = b'K\x01'
    for level in range(levels):
        again = data + b'q' + bytes([level]) + b'h' + bytes([level])
        data = again + b'\x86' if kind is tuple else b'](' + again + b'e'
    return data


@pytest.mark.parametrize('kind', [tuple, list])
def test_a_billion_laughs_are_not_counted(tmp_path, kind):
    laughs = _laughs(kind)
    _refused(tmp_path, PROTO + laughs + b'.', 'three networks')
    _refused(tmp_path, PROTO + b'}' + laughs + b'Ns.', 'keys are not names')
    _refused(tmp_path, _holding(laughs), 'not an array')
    _refused(tmp_path, _holding(_array(laughs, b'C\x040000')), 'impossible shape')
    _refused(tmp_path, _holding(b'N').replace(
        _text('static_kwargs') + b'}', _text('static_kwargs') + b'}' + _text('x') + laughs + b's'),
        "option 'x'|not an array")


@pytest.mark.parametrize('wrap', [b'\x85', b'a'])
def test_deep_nesting_is_harmless(tmp_path, wrap):
    deep = b']' * 40000 + b'a' * 40000 if wrap == b'a' else b')' + b'\x85' * 40000
    _refused(tmp_path, PROTO + (b']' if wrap == b'a' else b'') + deep + b'.', 'three networks')
    _refused(tmp_path, PROTO + b'}' + (b']' if wrap == b'a' else b'') + deep + b'Ns.', 'not names')


def test_nested_networks_are_freed():
    levels = 11000
    data = (PROTO + NETWORK + b'q\x00' + (b'h\x00)\x81}' + _text('x')) * levels + b'N'
            + b'sb' * levels + b'.')
    assert type(pickles._Machine(data).run()) is pickles._Network


def test_networks_inside_themselves(tmp_path):
    networks = toy_released.networks()
    networks[0].components['synthesis'] = networks[0]
    _refused(tmp_path, toy_released.pickled(networks), "unknown part 'synthesis'")
    one = toy_released.networks()[1]
    one.static_kwargs['x'] = loop = []
    loop.append(loop)
    _refused(tmp_path, toy_released.pickled((one, one, one)), "option 'x'")


def _measured(data):
    """What `_Machine` says of a pickle, with the seconds and bytes that it took at most."""
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(pickles.Refused) as refusal:
            pickles._Machine(data).run()
        return str(refusal.value), time.process_time() - began, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize('flood', [
    b'}', b']', b'(', b')', b'N', b'](', b'}\x94', b'J\xff\xff\xff\x0f', b'G01234567',
    b'\x8c\x01a', b'(t', b'N\x85'], ids=str)
def test_floods_of_values_are_bounded(flood):
    """One byte can make a dict of 240: the number of instructions is bounded instead."""
    message, seconds, peak = _measured(PROTO + flood * (3000000 // len(flood)) + b'.')
    assert '100,000 instructions' in message and seconds < 5 and peak < 100e6


@pytest.mark.parametrize('data, match', [
    (b'Nr\xff\xff\xff\xff', 'truncated'),  # LONG_BINPUT; pickle.Unpickler allocates 64 GB
    (b'})' + b'\x85' * 90000 + b'Ns.', 'not names'),  # pickle.Unpickler overflows the stack
    (b'}K\x01' + b''.join(b'q%ch%c\x86' % (i, i) for i in range(60)) + b'Ns.', 'not names'),
    (b'B\xff\xff\xff\xff', 'truncated'), (b'\x96\0\0\0\0\0\0\1\0', 'truncated'),
    (b'\x8b\xff\xff\xff\x7f', 'instruction'), (b'L' + b'9' * 100000 + b'L\n', 'instruction'),
    (b'\x8a\xff' + b'\xff' * 255 + b'\x85' * 10, 'truncated')], ids=lambda v: ascii(v)[:30])
def test_what_kills_the_standard_library_is_refused_at_once(data, match):
    message, seconds, peak = _measured(PROTO + data)
    assert match in message and seconds < 5 and peak < 100e6


@pytest.mark.parametrize('kind', ['f8', 'u1'])
def test_repeated_arrays_are_bounded(tmp_path, kind):
    code = DTYPE.replace(b'f4', kind.encode())
    data = b'B' + struct.pack('<I', 80000) + b'\0' * 80000
    shape = b'J' + struct.pack('<i', 80000 // int(kind[1])) + b'\x85'
    array = (_global('numpy.core.numeric', '_frombuffer') + b'(%s' + code + shape + _text('C')
             + b'tR')
    many = array.replace(b'%s', data + b'q\x00') + array.replace(b'%s', b'h\x00') * 50
    _refused(tmp_path, PROTO + b'(' + many + b't.', 'far larger than the file')


def test_repeated_texts_are_bounded(tmp_path):
    encode = _global('_codecs', 'encode')
    text = b'X' + struct.pack('<I', 50000) + b'a' * 50000 + b'q\x00'
    many = (encode + b'h\x00' + _text('latin1') + b'\x86R') * 10
    _refused(tmp_path, PROTO + b'(' + text + many + b't.', 'far larger than the file')


@pytest.mark.parametrize('data', [
    b'X\xff\xff\xff\xff', b'B\xff\xff\xff\xff', b'\x8e' + b'\xff' * 8,
    b'\x8d' + b'\xff' * 7 + b'\x7f', b'\x95' + b'\xff' * 8, b''], ids=str)
def test_claims_beyond_the_end(tmp_path, data):
    _refused(tmp_path, PROTO + data, 'truncated after')


@pytest.mark.parametrize('data', [b'c', b'cnumpy', b'cnumpy\n', b'cnumpy\n' + b'a' * 999 + b'\n'])
def test_names_without_end(tmp_path, data):
    _refused(tmp_path, PROTO + data, 'does not end')


def test_every_truncated_file_is_noticed(tmp_path):
    whole = toy_released.pickled(toy_released.networks())
    for size in list(range(2, 200)) + list(range(200, len(whole), 197)):
        _refused(tmp_path, whole[:size], f'truncated after {size} bytes|damaged')


@pytest.mark.parametrize('data', [
    b'.', b'}.', b'N(.', b't.', b'h\x05.', b'K\x01a.', b'u.', b's.', b'(K\x01e.', b'R.', b'b.',
    b'\x87.', b'\x94.', b'X\x01\0\0\0\xff.'])
def test_broken_stacks(tmp_path, data):
    _refused(tmp_path, PROTO + data, 'damaged|three networks|no names|must not')


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_random_damage(tmp_path, protocol):
    """Whatever the bytes: networks, or a message."""
    networks, rng = toy_released.networks(), np.random.RandomState(7)
    whole, refused = toy_released.pickled(networks, protocol), 0
    for _ in range(300):
        data = np.frombuffer(whole, np.uint8).copy()
        data[rng.randint(0, len(data), 20)] = rng.randint(0, 256, 20)
        try:
            assert set(_read(tmp_path, data.tobytes())) == {'G', 'D', 'Gs'}
        except UserError as error:
            refused += 1
            assert '\n' not in str(error)
    assert refused > 100


# --- Other files.

@pytest.mark.parametrize('data, match', [
    (b'<!DOCTYPE html><title>Quota exceeded</title>', 'web page.*quota'),
    (b'\n <html>', 'web page'),
    (lzma.compress(b'x'), 'compressed; type: unxz .*a.pkl'), (b'', 'not a pickle'),
    (b'PK\3\4', 'not a pickle'),
    (b'(lp0\n.', 'not a pickle of protocol 2'), (PROTO + b'N.', 'three networks'),
    (PROTO + NETWORK + b')\x81.', 'three networks'),
    (PROTO + (NETWORK + b')\x81') * 3 + b'\x87.', 'without a proper version')])
def test_other_files_are_refused(tmp_path, data, match):
    _refused(tmp_path, data, match)


def test_paths_that_are_not_files_are_refused(tmp_path):
    with pytest.raises(UserError, match='does not exist; give the path of a network pickle'):
        pickles.read(tmp_path / 'a.pkl')
    with pytest.raises(UserError, match=r'cannot use .*it is not a file'):
        pickles.read(tmp_path)
    os.mkfifo(str(tmp_path / 'fifo.pkl'))  # reading it would wait for ever
    with pytest.raises(UserError, match=r'cannot use .*it is not a file'):
        pickles.read(tmp_path / 'fifo.pkl')
    with open(str(tmp_path / 'huge.pkl'), 'wb') as huge:
        huge.truncate(pickles.MAX_BYTES + 1)
    with pytest.raises(UserError, match='more than 2 GB'):
        pickles.read(tmp_path / 'huge.pkl')


@pytest.mark.parametrize('module, name, match', [
    ('tfutil', 'Network', 'Progressive GAN'), ('network', 'Network', 'Progressive GAN.*Theano'),
    ('torch_utils.persistence', '_reconstruct_persistent_obj', 'PyTorch')])
def test_relatives_are_refused_by_name(tmp_path, module, name, match):
    _refused(tmp_path, PROTO + _global(module, name) + b')\x81.', match)


@pytest.mark.parametrize('version', [1, 5, None, '3', True])
def test_unknown_versions_are_refused(tmp_path, version):
    networks = toy_released.networks(version=version)
    _refused(tmp_path, toy_released.pickled(networks), 'version')
