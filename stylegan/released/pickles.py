"""Released networks: pickles of (G, D, Gs), read by name without running anything in them.

Each of the few names that such a file needs stands for an inert function of this module; every
other name is refused. The program text that the file carries is never looked at.
"""

import contextlib
import dataclasses

import numpy as np

from dnnlib import files
from dnnlib.files import UserError
from stylegan.released.opcodes import Inert, Name, Reader, Refused, shown

NETWORKS = ('G', 'D', 'Gs')


@dataclasses.dataclass(frozen=True)
class Released:
    """A network as its pickle describes it.

    build_func_name: of the function that built it. static_kwargs: the options it was made with,
    plain values by name. components: its parts, Released by 'synthesis' and 'mapping'. variables:
    float32 arrays by name; a component's have the component's name and a slash in front.
    """
    build_func_name: str
    static_kwargs: dict
    components: dict
    variables: dict


@contextlib.contextmanager
def naming(path):
    """Turn a Refused inside the block into the UserError that names the file."""
    try:
        yield
    except Refused as reason:
        raise UserError(f'cannot use {path}: {reason}')


def read(path):
    """Read a network pickle -> {'G': Released, 'D': Released, 'Gs': Released}.

    Raises UserError for what is no such pickle, and for anything in it that no network needs.
    Time and memory stay within a few times the file's size, whatever it claims.
    """
    path = files.existing(path, 'a network pickle (.pkl)')
    with naming(path):
        try:
            data = path.read_bytes()
        except OSError as error:
            raise Refused(error.strerror)
        _check_kind(data[:100], path)
        networks = Reader(data, _find).value()
        if not isinstance(networks, tuple) or [type(net) for net in networks] != [_Network] * 3:
            raise Refused('it does not hold the three networks G, D and Gs')
        return {name: _released(net.state) for name, net in zip(NETWORKS, networks)}


def _check_kind(head, path):
    if head.lstrip()[:1] == b'<':
        raise Refused('it is a web page, such as hosts send when the quota of a download is used '
                      'up; delete it and fetch the network from another place, or later')
    if head.startswith(b'\xfd7zXZ'):
        raise Refused(f'it is compressed; type: unxz {path}')
    if head[:1] != b'\x80':
        raise Refused('it is no pickle, or older than protocol 2')


# --- The names that may occur, and what they make.

class _Network(Inert):
    """Keeps what the file says of a network."""
    state = None

    def fill(self, reader, state):
        if not isinstance(state, dict):
            raise Refused('it holds a network of unknown form')
        self.state = state


class _Dtype(Inert):
    """A numeric type of numpy."""

    def __init__(self, code):
        if not _is_one_of(code, _CODES):
            raise Refused('it has an array of something else than numbers')
        self.dtype = np.dtype(code)

    def fill(self, reader, state):
        if not isinstance(state, tuple) or len(state) != 8 or not _is_one_of(
                state[1], ('<', '>', '|')):
            raise Refused('it has an array of something else than plain numbers')
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array(Inert):
    """An array, empty until it is filled."""
    value = None

    def __init__(self, kind, *_):
        if getattr(kind, 'text', None) != 'numpy ndarray':
            raise Refused('it asks numpy for something else than an array')

    def fill(self, reader, state):
        if not isinstance(state, tuple) or len(state) != 5:
            raise Refused('it has an array of unknown form')
        _, shape, dtype, is_fortran, data = state
        self.value = _numbers(reader, data, dtype, shape, 'F' if is_fortran is True else 'C')


def _is_one_of(value, texts):
    return isinstance(value, str) and value in texts


_CODES = ('f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8')


def _numbers(reader, data, dtype, shape, order='C'):
    """`data` as an array: of float32 for any kind of float, else of its own type."""
    if not isinstance(data, bytes) or not isinstance(dtype, _Dtype):
        raise Refused('it has an array of something else than numbers')
    if not _is_one_of(order, ('C', 'F')) or not isinstance(shape, tuple) or len(shape) > 8 or any(
            type(side) is not int or not 0 < side <= len(data) for side in shape):
        raise Refused('it has an array of impossible shape')
    count = 1
    for side in shape:
        count *= side
    if count * dtype.dtype.itemsize != len(data):
        raise Refused('it has an array whose shape claims %d numbers for %d bytes' % (
            count, len(data)))
    reader.spend(4 * count)
    value = np.frombuffer(data, dtype.dtype).reshape(shape, order=order)
    with np.errstate(over='ignore'):
        return value.astype(np.float32, copy=False) if value.dtype.kind == 'f' else value


def _bytes(reader, text, coding):
    """Bytes, which protocol 2 writes as text."""
    if not isinstance(text, str) or not _is_one_of(coding, ('latin1',)):
        raise Refused('it encodes something else than bytes')
    reader.spend(len(text))
    try:
        return text.encode('latin1')
    except UnicodeEncodeError:
        raise Refused('it encodes something else than bytes')


_ALLOWED = {name.text: name for name in (
    Name('dnnlib.tflib.network Network', new=lambda reader: _Network()),
    Name('dnnlib.util EasyDict', new=lambda reader: {}),
    Name('collections OrderedDict', call=lambda reader: {}),
    Name('numpy ndarray'),  # only as an argument of the next
    Name('numpy.core.multiarray _reconstruct', call=lambda reader, *given: _Array(*given)),
    Name('numpy.core.multiarray scalar',
         call=lambda reader, dtype, data: _numbers(reader, data, dtype, ())),
    Name('numpy.core.numeric _frombuffer', call=_numbers),
    Name('numpy dtype', call=lambda reader, code, *flags: _Dtype(code)),
    Name('_codecs encode', call=_bytes))}
_FOREIGN = {
    'tfutil Network': 'a Progressive GAN, whose generator has no styles',
    'network Network': 'a Progressive GAN made with Theano, whose generator has no styles',
    'torch_utils.persistence _reconstruct_persistent_obj':
        'a network made with PyTorch, StyleGAN2 or later, which has other layers',
}


def _find(module, name):
    """The Name of a pair that a file asks for."""
    text = f"{module.replace('numpy._core.', 'numpy.core.')} {name}"  # as numpy 2 writes it
    if text in _FOREIGN:
        raise Refused(f'it holds {_FOREIGN[text]}, not a StyleGAN v1')
    if text not in _ALLOWED:
        raise Refused('it names %s, which no network needs; nothing was run' % (
            shown('%s.%s' % (module, name))))
    return _ALLOWED[text]


# --- What a network consists of.

def _released(state, inside=False):
    """A network's dict -> Released. Components have none of their own."""
    version = _part(state or {}, 'version', int)
    if version not in (2, 3, 4):  # 2 has no components yet; 4 may hold StyleGAN2's config-a
        raise Refused('it holds a network of version %d; known are 2, 3 and 4' % version)
    components, variables = {}, {}
    for name, value in _variables(state):
        _add(variables, name, value)
    for key, part in _part(state, 'components', dict, {}).items():
        if inside or key not in ('synthesis', 'mapping') or not isinstance(part, _Network):
            raise Refused(f'it holds a network with the unknown part {shown(key)}')
        components[key] = _released(part.state, inside=True)
        for name, value in components[key].variables.items():
            _add(variables, f"{_part(part.state, 'name', str)}/{name}", value)
    options = _part(state, 'static_kwargs', dict)
    return Released(_part(state, 'build_func_name', str),
                    {key: _option(key, options[key]) for key in options}, components, variables)


def _part(state, key, kind, default=None):
    value = state.get(key, default)
    if type(value) is not kind:
        raise Refused(f'it holds a network without a proper {key}')
    return value


def _variables(state):
    """A network's own variables as pairs of a name and a float32 array."""
    for entry in _part(state, 'variables', list):
        if type(entry) is not tuple or len(entry) != 2 or type(entry[0]) is not str:
            raise Refused('it has a list of variables of unknown form')
        value = getattr(entry[1], 'value', entry[1])
        if not isinstance(value, np.ndarray) or value.dtype != np.float32:
            raise Refused(f'its variable {shown(entry[0])} is no array of float numbers')
        yield entry[0], value


def _add(variables, name, value):
    if name in variables:
        raise Refused(f'it holds the variable {shown(name)} twice')
    variables[name] = value


def _option(key, value):
    """A plain value, or a short list of such."""
    if type(value) in (list, tuple) and len(value) <= 64:
        return [_scalar(key, part) for part in value]
    return _scalar(key, value)


def _scalar(key, value):
    if isinstance(value, np.ndarray) and not value.shape:
        return value.item()
    if type(value) in (type(None), bool, int, float) or type(value) is str and len(value) <= 200:
        return value
    raise Refused(f'the option {shown(key)} in it is no plain value')
