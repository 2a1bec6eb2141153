"""Items: names made of content, and a store within bounds."""

import numpy as np
import pytest

from explore import items


def _item(seed, size=8, **origin):
    ws = np.random.RandomState(seed).randn(4, size).astype(np.float32)
    return items.item(ws, **dict({'seed': seed}, **origin))


def test_a_name_tells_styles_and_origin_apart():
    names = [_item(1), _item(2), _item(1, psi=0.7), _item(1, psi=0.8), _item(1, edit='colour=red')]
    assert len({one.name for one in names}) == 5
    assert _item(1).name == _item(1).name and len(_item(1).name) == 16


def test_what_is_used_least_goes_first_and_memory_is_bounded():
    own = _item(0, 1000)
    store = items.Store(most=3 * (own.ws.nbytes + 1000) + 500)
    first, second, third = [store.put(_item(seed, 1000)) for seed in range(3)]
    store.get(first.name)
    fourth = store.put(_item(3, 1000))
    for one in (first, third, fourth):
        assert store.get(one.name) is one
    with pytest.raises(items.Gone, match='choose another'):
        store.get(second.name)


def test_an_image_is_kept_and_counts():
    store, own = items.Store(most=10000), _item(0)
    store.put(own)
    assert store.png(own.name) == b''
    store.put(own, b'png')
    store.put(own)
    assert store.png(own.name) == b'png'
    store.put(_item(1), bytes(9000))
    with pytest.raises(items.Gone):
        store.png(own.name)
