"""Released networks: pickles of (G, D, Gs), read without importing or calling anything they name.

A pickle is a program for a stack machine (PEP 307, 3154 and 574). This interpreter supports the
instructions for arrays in plain containers and an allow-list of names, each of which makes an inert
object of this module. Everything else is refused. The source code in a network is ignored.

The usual way, `pickle.Unpickler` with an allow-list in `find_class`, prevents foreign calls, but
not attacks by the machine itself: as the key of a dict, a tuple nested 300,000 deep crashes the
process (hash recursion in C), hashing one of 60 shared levels never ends, and six bytes
(LONG_BINPUT with a large index) allocate 4 GB. tests/stylegan/released/test_pickles.py has them.
"""

import contextlib
import dataclasses
import struct

import numpy as np

from dnnlib import files
from dnnlib.files import UserError

NETWORKS = ('G', 'D', 'Gs')
MAX_INSTRUCTIONS = 100000  # a network of 1024 px needs about 15,000
MAX_BYTES = 2 ** 31  # of a file; the networks of 1024 px have 0.4 GB


class Refused(Exception):
    """What is wrong with a file, phrased to follow its name."""


@dataclasses.dataclass(frozen=True)
class Released:
    """A network as described by its pickle.

    build_func_name: name of the function that built it. static_kwargs: its config, plain values by
    name. components: its subnetworks, Released by 'synthesis' and 'mapping'. variables: finite
    float32 arrays by name; those of a component start with the component's name and a slash.
    """
    build_func_name: str
    static_kwargs: dict
    components: dict
    variables: dict


@contextlib.contextmanager
def naming(path):
    """Turn a Refused in the block into a UserError that names the file."""
    try:
        yield
    except Refused as reason:
        raise UserError(f'cannot use {path}: {reason}')


def shown(text):
    """Text from a file for a message: escaped, quoted, on one line, shortened."""
    return ascii(text if len(text) < 80 else text[:77] + '...')


def read(path):
    """Read a network pickle -> {'G': Released, 'D': Released, 'Gs': Released}.

    Raises UserError for any other file and content. Memory is limited to five times the size of the
    file plus 50 MB.
    """
    path = files.existing(path, 'a network pickle (.pkl)')
    with naming(path):
        if not path.is_file():
            raise Refused('it is not a file')
        if path.stat().st_size > MAX_BYTES:
            raise Refused(f'it has more than {MAX_BYTES >> 30} GB, which no network needs')
        data = path.read_bytes()
        _check_kind(data[:100], path)
        networks = _Machine(data).run()
        if not isinstance(networks, tuple) or [type(net) for net in networks] != [_Network] * 3:
            raise Refused('it does not hold the three networks G, D and Gs')
        return {name: _released(net.state) for name, net in zip(NETWORKS, networks)}


def _check_kind(head, path):
    if head.lstrip()[:1] == b'<':
        raise Refused('it is a web page, as hosts send when a download quota is exceeded; delete '
                      'it and fetch the network elsewhere or later')
    if head.startswith(b'\xfd7zXZ'):
        raise Refused(f'it is compressed; type: unxz {path}')
    if head[:1] != b'\x80':
        raise Refused('it is not a pickle of protocol 2 or later')


# --- The stack machine.

class _Machine:
    """Runs the pickle `data`.

    Its values are None, bool, int, float, str, bytes, tuple, list, dict with str keys, _Global and
    what these make. All may be shared and may contain themselves; none is hashed or compared.
    """

    def __init__(self, data):
        self._data, self._position = data, 0
        self._stack, self._marked, self._memo = [], [], {}
        self._budget = 4 * len(data)

    def run(self):
        """The value of the pickle. Raises Refused."""
        for _ in range(MAX_INSTRUCTIONS):
            opcode = self.take(1)
            if opcode == b'.':
                return self.pop()
            if opcode in _PUSH:
                value = _PUSH[opcode](self)  # may replace self._stack, so not inside the append
                self._stack.append(value)
            elif opcode in _ACT:
                _ACT[opcode](self)
            else:
                what = _REFUSED.get(opcode, f'the pickle instruction {ascii(opcode)[1:]}')
                raise Refused(f'it contains {what}, which no network needs; nothing was run')
        raise Refused(f'it has more than {MAX_INSTRUCTIONS:,} instructions, which no network needs')

    def spend(self, count):
        """Charge `count` bytes to the budget, so that repeated arrays cannot fill the memory."""
        self._budget -= count
        if self._budget < 0:
            raise Refused('it repeats its arrays until they are far larger than the file')

    def take(self, count):
        """The next `count` bytes."""
        start, self._position = self._position, self._position + count
        if self._position > len(self._data):
            raise Refused(f'it is truncated after {len(self._data)} bytes; fetch it again')
        return self._data[start:self._position]

    def integer(self, size, signed=False):
        """A little-endian integer of `size` bytes."""
        return int.from_bytes(self.take(size), 'little', signed=signed)

    def text(self, size):
        """A text of `size` bytes of UTF-8."""
        try:
            return self.take(size).decode('utf-8')
        except UnicodeDecodeError:
            raise Refused('it is damaged: a text in it is not UTF-8; fetch it again')

    def line(self):
        """A text of at most 200 bytes up to the next newline."""
        end = self._data.find(b'\n', self._position, self._position + 200)
        if end < 0:
            raise Refused('it is damaged: a name in it does not end; fetch it again')
        text = self.text(end - self._position)
        self.take(1)
        return text

    def pop(self, *kinds):
        """The top of the stack, which must be of one of `kinds`, if any are given."""
        if not self._stack:
            raise Refused('it is damaged: a value is missing; fetch it again')
        value = self._stack.pop()
        if kinds and not isinstance(value, kinds):
            raise Refused('it is damaged, or builds something that no network needs; '
                          'nothing was run')
        return value

    def popped(self, count):
        """The topmost values as a tuple, the top last."""
        return tuple([self.pop() for _ in range(count)][::-1])

    def mark(self):
        """Start a new stack, which `since_mark` returns."""
        self._marked.append(self._stack)
        self._stack = []

    def since_mark(self):
        """The values pushed since the last mark."""
        if not self._marked:
            raise Refused('it is damaged: a mark is missing; fetch it again')
        values, self._stack = self._stack, self._marked.pop()
        return values

    def memoize(self, index=None):
        """Store the top of the stack in the memo, by default at the next index."""
        value = self.pop()
        self._stack.append(value)
        self._memo[len(self._memo) if index is None else index] = value

    def recall(self, index):
        """A value from the memo."""
        if index not in self._memo:
            raise Refused('it is damaged: a value is missing; fetch it again')
        return self._memo[index]

    def append(self, values):
        """Extend the list on top of the stack."""
        target = self.pop(list)
        target.extend(values)
        self._stack.append(target)

    def set_items(self, values):
        """Add keys and values, in turn, to the dict on top of the stack."""
        target, keys = self.pop(dict), values[::2]
        if len(values) % 2 or not all(type(key) is str for key in keys):
            raise Refused('it has a dict whose keys are not names')
        target.update(zip(keys, values[1::2]))
        self._stack.append(target)

    def call(self, opcode):
        """The result of a _Global for the arguments on top of it; it allows at most one opcode."""
        arguments, function = self.pop(tuple), self.pop()
        if not isinstance(function, _Global) or function.opcode != opcode:
            raise Refused('it calls something that must not be called; nothing was run')
        try:
            return function.make(self, *arguments)
        except TypeError:
            raise Refused(f'it calls {function.name} with the wrong arguments')

    def build(self):
        """Set the state on top of the stack on the stand-in below it."""
        state, target = self.pop(dict, tuple), self.pop(_StandIn)
        target.set_state(self, state)
        self._stack.append(target)


_PUSH = {  # opcodes that push one value
    b'N': lambda m: None,  # NONE
    b'\x88': lambda m: True,  # NEWTRUE
    b'\x89': lambda m: False,  # NEWFALSE
    b'K': lambda m: m.integer(1),  # BININT1
    b'M': lambda m: m.integer(2),  # BININT2
    b'J': lambda m: m.integer(4, signed=True),  # BININT
    b'\x8a': lambda m: m.integer(m.integer(1), signed=True),  # LONG1
    b'G': lambda m: struct.unpack('>d', m.take(8))[0],  # BINFLOAT
    b'\x8c': lambda m: m.text(m.integer(1)),  # SHORT_BINUNICODE
    b'X': lambda m: m.text(m.integer(4)),  # BINUNICODE
    b'\x8d': lambda m: m.text(m.integer(8)),  # BINUNICODE8
    b'C': lambda m: m.take(m.integer(1)),  # SHORT_BINBYTES
    b'B': lambda m: m.take(m.integer(4)),  # BINBYTES
    b'\x8e': lambda m: m.take(m.integer(8)),  # BINBYTES8
    b'\x96': lambda m: m.take(m.integer(8)),  # BYTEARRAY8
    b')': lambda m: (),  # EMPTY_TUPLE
    b']': lambda m: [],  # EMPTY_LIST
    b'}': lambda m: {},  # EMPTY_DICT
    b't': lambda m: tuple(m.since_mark()),  # TUPLE
    b'\x85': lambda m: m.popped(1),  # TUPLE1
    b'\x86': lambda m: m.popped(2),  # TUPLE2
    b'\x87': lambda m: m.popped(3),  # TUPLE3
    b'h': lambda m: m.recall(m.integer(1)),  # BINGET
    b'j': lambda m: m.recall(m.integer(4)),  # LONG_BINGET
    b'c': lambda m: _global(m.line(), m.line()),  # GLOBAL
    b'\x93': lambda m: _global(*(m.pop(str), m.pop(str))[::-1]),  # STACK_GLOBAL
    b'R': lambda m: m.call('R'),  # REDUCE
    b'\x81': lambda m: m.call('\x81'),  # NEWOBJ
}
_ACT = {  # opcodes that do something else
    b'\x80': lambda m: m.take(1),  # PROTO
    b'\x95': lambda m: m.take(8),  # FRAME
    b'(': lambda m: m.mark(),  # MARK
    b'\x94': lambda m: m.memoize(),  # MEMOIZE
    b'q': lambda m: m.memoize(m.integer(1)),  # BINPUT
    b'r': lambda m: m.memoize(m.integer(4)),  # LONG_BINPUT
    b'a': lambda m: m.append(m.popped(1)),  # APPEND
    b'e': lambda m: m.append(m.since_mark()),  # APPENDS
    b's': lambda m: m.set_items(m.popped(2)),  # SETITEM
    b'u': lambda m: m.set_items(m.since_mark()),  # SETITEMS
    b'b': lambda m: m.build(),  # BUILD
}
_REFUSED = {  # only for the message
    b'P': 'a persistent id', b'Q': 'a persistent id',
    b'\x82': 'an extension code', b'\x83': 'an extension code', b'\x84': 'an extension code',
    b'i': 'an instance of an old class', b'o': 'an instance of an old class',
    b'\x92': 'an object made with keywords', b'\x97': 'a buffer outside of the file',
}


# --- The allowed names, and the inert objects they make.

class _StandIn:
    """An object whose state BUILD may set, by `set_state(machine, state)`."""


class _Network(_StandIn):
    """Holds the state of a network."""
    state = None

    def set_state(self, machine, state):
        if not isinstance(state, dict):
            raise Refused('it holds a network of unknown form')
        self.state = state


_DTYPES = ('f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8')


class _Dtype(_StandIn):
    """A numeric dtype."""

    def __init__(self, code):
        if not _is_one_of(code, _DTYPES):
            raise Refused('it has an array of something other than numbers')
        self.dtype = np.dtype(code)

    def set_state(self, machine, state):
        if not isinstance(state, tuple) or len(state) != 8 or not _is_one_of(
                state[1], ('<', '>', '|')):
            raise Refused('it has an array of something other than plain numbers')
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array(_StandIn):
    """An array; its state is its value."""
    value = None

    def __init__(self, kind, *_):
        if getattr(kind, 'name', None) != 'numpy.ndarray':
            raise Refused('it makes numpy reconstruct something other than an array')

    def set_state(self, machine, state):
        if not isinstance(state, tuple) or len(state) != 5:
            raise Refused('it has an array of unknown form')
        _, shape, dtype, is_fortran, data = state
        self.value = _numbers(machine, data, dtype, shape, 'F' if is_fortran is True else 'C')


def _is_one_of(value, texts):
    return isinstance(value, str) and value in texts


def _numbers(machine, data, dtype, shape, order='C'):
    """The bytes `data` as an array: floats converted to float32, integers unchanged."""
    if not isinstance(data, bytes) or not isinstance(dtype, _Dtype):
        raise Refused('it has an array of something other than numbers')
    if not _is_one_of(order, ('C', 'F')) or not isinstance(shape, tuple) or len(shape) > 8 or any(
            type(side) is not int or not 0 < side <= len(data) for side in shape):
        raise Refused('it has an array of impossible shape')
    count = 1
    for side in shape:
        count *= side
    if count * dtype.dtype.itemsize != len(data):
        raise Refused(f'it has an array whose shape claims {count} numbers for {len(data)} bytes')
    machine.spend(4 * count)
    value = np.frombuffer(data, dtype.dtype).reshape(shape, order=order)
    with np.errstate(over='ignore', invalid='ignore'):
        return value.astype(np.float32, copy=False) if value.dtype.kind == 'f' else value


def _latin1(machine, text, encoding):
    """Bytes, which protocol 2 stores as text."""
    if not isinstance(text, str) or not _is_one_of(encoding, ('latin1',)):
        raise Refused('it encodes something other than bytes')
    machine.spend(len(text))
    try:
        return text.encode('latin1')
    except UnicodeEncodeError:
        raise Refused('it encodes something other than bytes')


class _Global:
    """An allowed name. make: function of (machine, *arguments), called only by `opcode`."""

    def __init__(self, name, opcode='', make=None):
        self.name, self.opcode, self.make = name, opcode, make


_ALLOWED = {each.name: each for each in (
    _Global('dnnlib.tflib.network.Network', '\x81', lambda m: _Network()),
    _Global('dnnlib.util.EasyDict', '\x81', lambda m: {}),
    _Global('collections.OrderedDict', 'R', lambda m: {}),
    _Global('numpy.ndarray'),  # only as an argument of the next
    _Global('numpy.core.multiarray._reconstruct', 'R', lambda m, *rest: _Array(*rest)),
    _Global('numpy.core.multiarray.scalar', 'R', lambda m, dtype, data: _numbers(
        m, data, dtype, ())),
    _Global('numpy.core.numeric._frombuffer', 'R', _numbers),
    _Global('numpy.dtype', 'R', lambda m, code, *flags: _Dtype(code)),
    _Global('_codecs.encode', 'R', _latin1))}
_FOREIGN = {
    'tfutil.Network': 'a Progressive GAN, whose generator has no styles',
    'network.Network': 'a Progressive GAN made with Theano, whose generator has no styles',
    'torch_utils.persistence._reconstruct_persistent_obj':
        'a network made with PyTorch, StyleGAN2 or later, which has other layers',
}


def _global(module, name):
    """The _Global of a module and a name."""
    known = f"{module.replace('numpy._core.', 'numpy.core.')}.{name}"  # numpy 2 has _core
    if known in _FOREIGN:
        raise Refused(f'it holds {_FOREIGN[known]}, not a StyleGAN v1')
    if known not in _ALLOWED:
        raise Refused(f"it names {shown(f'{module}.{name}')}, which no network needs; "
                      'nothing was run')
    return _ALLOWED[known]


# --- What a network consists of.

def _released(state, is_component=False):
    """A network's state -> Released. Components have no components."""
    version = _entry(state or {}, 'version', int)
    if version not in (2, 3, 4):  # 2 has no components; 4 may be StyleGAN2's config-a
        raise Refused(f'it holds a network of version {version}; known are 2, 3 and 4')
    components, variables = {}, {}
    for name, value in _variables(state):
        _add(variables, name, value)
    for key, part in _entry(state, 'components', dict, {}).items():
        if is_component or key not in ('synthesis', 'mapping') or not isinstance(part, _Network):
            raise Refused(f'it holds a network with the unknown part {shown(key)}')
        components[key] = _released(part.state, is_component=True)
        for name, value in components[key].variables.items():
            _add(variables, f"{_entry(part.state, 'name', str)}/{name}", value)
    kwargs = _entry(state, 'static_kwargs', dict)
    return Released(_entry(state, 'build_func_name', str),
                    {key: _plain(key, kwargs[key]) for key in kwargs}, components, variables)


def _entry(state, key, kind, default=None):
    value = state.get(key, default)
    if type(value) is not kind:
        raise Refused(f'it holds a network without a proper {key}')
    return value


def _variables(state):
    """A network's own variables as pairs of a name and a finite float32 array."""
    for entry in _entry(state, 'variables', list):
        if type(entry) is not tuple or len(entry) != 2 or type(entry[0]) is not str:
            raise Refused('it has a list of variables of unknown form')
        value = getattr(entry[1], 'value', entry[1])
        if not isinstance(value, np.ndarray) or value.dtype != np.float32:
            raise Refused(f'its variable {shown(entry[0])} is not an array of float32')
        if not np.isfinite(value).all():
            raise Refused(f'its variable {shown(entry[0])} has values that are not finite')
        yield entry[0], value


def _add(variables, name, value):
    if name in variables:
        raise Refused(f'it holds the variable {shown(name)} twice')
    variables[name] = value


def _plain(key, value):
    """A plain value, or a short list of plain values."""
    if type(value) in (list, tuple) and len(value) <= 64:
        return [_scalar(key, part) for part in value]
    return _scalar(key, value)


def _scalar(key, value):
    if isinstance(value, np.ndarray) and not value.shape:
        return value.item()
    if type(value) in (type(None), bool, int, float) or (type(value) is str and len(value) <= 200):
        return value
    raise Refused(f'the option {shown(key)} in it is not a plain value')
