"""The pickle language, as far as arrays in plain containers need it; nothing in a file is run.

A pickle is a program for a stack machine (PEP 307, 3154 and 574). Python's own reader imports and
calls what the program names. This one imports nothing: names become what its caller makes of them,
and every instruction that is not listed here is refused.
"""

import struct


class Refused(Exception):
    """What is wrong with a file, in words that follow its name."""


class Name:
    """What a file may name. `call`: for REDUCE, `new`: for NEWOBJ; None where that is refused.

    Both are functions of (reader, *arguments).
    """

    def __init__(self, text, call=None, new=None):
        self.text, self.call, self.new = text, call, new


class Inert:
    """A value that BUILD may fill: subclasses have `fill(reader, state)`, of a dict or tuple."""


def shown(text):
    """Text from a file as it may stand in a message: quoted, in one line, not long."""
    return ascii(text if len(text) < 80 else text[:77] + '...')


class Reader:
    """Follows the instructions in `data` (bytes); `find(module, name)` gives the Name of a pair.

    What it makes are None, bool, int, float, str, bytes, tuple, list, dict with str keys, Name, and
    what these names make. All may be shared and may contain themselves.
    """

    def __init__(self, data, find):
        self._data, self._at, self._find = data, 0, find
        self._stack, self._marks, self._memo = [], [], {}
        self._left = 4 * len(data)

    def value(self):
        """What the pickle holds. Raises Refused."""
        while True:
            code = self.take(1)
            if code == b'.':
                return self.pop()
            if code in _PUSHES:
                value = _PUSHES[code](self)  # which may put another stack in place
                self._stack.append(value)
            elif code in _ACTIONS:
                _ACTIONS[code](self)
            else:
                raise Refused('it contains %s, which no network needs; nothing was run' % (
                    _UNUSED.get(code, 'the pickle instruction %s' % ascii(code)[1:])))

    def spend(self, count):
        """Count bytes that a name makes; repeating them must not outgrow the file by far."""
        self._left -= count
        if self._left < 0:
            raise Refused('it repeats its arrays until they are far larger than the file')

    def take(self, count):
        """The next `count` bytes."""
        start, self._at = self._at, self._at + count
        if self._at > len(self._data):
            raise Refused(f'it breaks off after {len(self._data)} bytes; fetch it again')
        return self._data[start:self._at]

    def number(self, size, signed=False):
        """A little-endian integer of `size` bytes."""
        return int.from_bytes(self.take(size), 'little', signed=signed)

    def text(self, size):
        """A text of `size` bytes of UTF-8."""
        try:
            return self.take(size).decode('utf-8')
        except UnicodeDecodeError:
            raise Refused('it is damaged: a text in it is not UTF-8; fetch it again')

    def line(self):
        """A text of at most 200 bytes up to the next line end."""
        end = self._data.find(b'\n', self._at, self._at + 200)
        if end < 0:
            raise Refused('it is damaged: a name in it does not end; fetch it again')
        text = self.text(end - self._at)
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

    def last(self, count):
        """The topmost values, off the stack, the top last."""
        return tuple([self.pop() for _ in range(count)][::-1])

    def mark(self):
        """Remember this height of the stack for `marked`."""
        self._marks.append(self._stack)
        self._stack = []

    def marked(self):
        """The values since the last mark, off the stack."""
        if not self._marks:
            raise Refused('it is damaged: a mark is missing; fetch it again')
        values, self._stack = self._stack, self._marks.pop()
        return values

    def store(self, index=None):
        """Put the top of the stack into the memo, at the next index if none is given."""
        value = self.pop()
        self._stack.append(value)
        self._memo[len(self._memo) if index is None else index] = value

    def fetch(self, index):
        """A value out of the memo."""
        if index not in self._memo:
            raise Refused('it is damaged: a value is missing; fetch it again')
        return self._memo[index]

    def name(self, module, name):
        """The Name of a pair from a file."""
        return self._find(module, name)

    def extend(self, values):
        """Add to the list on top of the stack."""
        target = self.pop(list)
        target.extend(values)
        self._stack.append(target)

    def update(self, values):
        """Add keys and values, in turn, to the dict on top of the stack."""
        target, keys = self.pop(dict), values[::2]
        if len(values) % 2 or not all(type(key) is str for key in keys):
            raise Refused('it has a table whose keys are no names')
        target.update(zip(keys, values[1::2]))
        self._stack.append(target)

    def make(self, kind):
        """What the `call` or the `new` of a Name makes of the arguments on top of it."""
        arguments, name = self.pop(tuple), self.pop()
        function = getattr(name, kind) if isinstance(name, Name) else None
        if function is None:
            raise Refused('it calls something that must not be called; nothing was run')
        try:
            return function(self, *arguments)
        except TypeError:
            raise Refused(f'it makes {name.text} of the wrong things')

    def build(self):
        """Fill the Inert value below the top of the stack with the top."""
        state, target = self.pop(dict, tuple), self.pop(Inert)
        target.fill(self, state)
        self._stack.append(target)


_PUSHES = {
    b'N': lambda r: None,
    b'\x88': lambda r: True,
    b'\x89': lambda r: False,
    b'K': lambda r: r.number(1),
    b'M': lambda r: r.number(2),
    b'J': lambda r: r.number(4, True),
    b'\x8a': lambda r: r.number(r.number(1), True),
    b'G': lambda r: struct.unpack('>d', r.take(8))[0],
    b'\x8c': lambda r: r.text(r.number(1)),
    b'X': lambda r: r.text(r.number(4)),
    b'\x8d': lambda r: r.text(r.number(8)),
    b'C': lambda r: r.take(r.number(1)),
    b'B': lambda r: r.take(r.number(4)),
    b'\x8e': lambda r: r.take(r.number(8)),
    b'\x96': lambda r: r.take(r.number(8)),
    b')': lambda r: (),
    b']': lambda r: [],
    b'}': lambda r: {},
    b't': lambda r: tuple(r.marked()),
    b'\x85': lambda r: r.last(1),
    b'\x86': lambda r: r.last(2),
    b'\x87': lambda r: r.last(3),
    b'h': lambda r: r.fetch(r.number(1)),
    b'j': lambda r: r.fetch(r.number(4)),
    b'c': lambda r: r.name(r.line(), r.line()),
    b'\x93': lambda r: r.name(*(r.pop(str), r.pop(str))[::-1]),
    b'\x81': lambda r: r.make('new'),
    b'R': lambda r: r.make('call'),
}
_ACTIONS = {
    b'\x80': lambda r: r.take(1),  # the protocol's number
    b'\x95': lambda r: r.take(8),  # a frame's length
    b'(': lambda r: r.mark(),
    b'\x94': lambda r: r.store(),
    b'q': lambda r: r.store(r.number(1)),
    b'r': lambda r: r.store(r.number(4)),
    b'a': lambda r: r.extend(r.last(1)),
    b'e': lambda r: r.extend(r.marked()),
    b's': lambda r: r.update(r.last(2)),
    b'u': lambda r: r.update(r.marked()),
    b'b': lambda r: r.build(),
}
_UNUSED = {  # only for the message
    b'P': 'a persistent id', b'Q': 'a persistent id',
    b'\x82': 'an extension code', b'\x83': 'an extension code', b'\x84': 'an extension code',
    b'i': 'an instance of an old class', b'o': 'an instance of an old class',
    b'\x92': 'an object made with keywords', b'\x97': 'a buffer outside of the file',
}
