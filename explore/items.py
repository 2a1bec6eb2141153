"""The products on the page. Each is named by a digest of its styles and its origin, so a name
always means the same image, and browsers may keep it.
"""

import collections
import hashlib
import json
import threading
from typing import Any, Dict, NamedTuple

import numpy as np

from dnnlib.files import UserError

_MOST_BYTES = 1 << 27  # of styles and images that are held


class Item(NamedTuple):
    """A product on the page.

    name:   16 hexadecimal digits.
    ws:     float32 [layers, w], its styles.
    origin: what its file will tell, such as {'seed': 7, 'psi': 0.7}; see `runs.origin_of`.
    """
    name: str
    ws: np.ndarray
    origin: Dict[str, Any]


def item(ws, **origin):
    """The Item of styles float32 [layers, w]. origin: see Item."""
    facts = json.dumps(sorted(origin.items())).encode('utf-8')
    return Item(hashlib.sha256(facts + np.ascontiguousarray(ws).tobytes()).hexdigest()[:16], ws,
                origin)


class Gone(UserError):
    """An item is asked for that is not held, or not any more."""


class Store:
    """Items and the PNG of each, the most recently used ones, within a bound of memory.

    Every thread may use it.
    """

    def __init__(self, most=_MOST_BYTES):
        self._most, self._size, self._lock = most, 0, threading.Lock()
        self._held = collections.OrderedDict()  # name -> (Item, PNG or b'')

    def put(self, new, png=b''):
        """Hold an Item and its PNG. Returns the item."""
        with self._lock:
            if new.name in self._held:
                png = png or self._held[new.name][1]
                self._size -= self._bytes(new.name)
            self._held[new.name] = new, png
            self._held.move_to_end(new.name)
            self._size += self._bytes(new.name)
            while self._size > self._most and len(self._held) > 1:
                oldest = next(iter(self._held))
                self._size -= self._bytes(oldest)
                del self._held[oldest]
        return new

    def _bytes(self, name):
        kept, png = self._held[name]
        return kept.ws.nbytes + len(png) + 1000

    def _look(self, name):
        with self._lock:
            if name not in self._held:
                raise Gone('this image is no longer held; choose another one')
            self._held.move_to_end(name)
            return self._held[name]

    def get(self, name):
        """The Item of a name. Raises Gone."""
        return self._look(name)[0]

    def png(self, name):
        """The PNG of a name, b'' where it has not been drawn. Raises Gone."""
        return self._look(name)[1]
