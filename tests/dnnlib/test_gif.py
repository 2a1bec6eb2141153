"""A GIF has all its frames, their colours and its origin, and the same bytes again."""

import json

import numpy as np
import pytest
from PIL import Image

from dnnlib import gif


def _frames(count=5):
    frames = np.full([count, 20, 30, 3], 255, np.uint8)
    for index, frame in enumerate(frames):
        frame[4:12, 4 * index:4 * index + 8] = [200, 30 * index, 40]
    return list(frames)


def test_frames_come_back(tmp_path):
    frames = _frames()
    assert gif.write_gif(tmp_path / 'a.gif', iter(frames), fps=20, origin={'seed': 7}) == 5
    with Image.open(str(tmp_path / 'a.gif')) as film:
        assert film.n_frames == 5 and film.info['loop'] == 0 and film.info['duration'] == 50
        assert json.loads(film.info['comment'].decode()) == {'seed': '7'}
        for index, frame in enumerate(frames):
            film.seek(index)
            shown = np.asarray(film.convert('RGB')).astype(int)
            assert np.abs(shown - frame).max() <= 8, index


def test_the_same_frames_give_the_same_bytes(tmp_path):
    for name in 'ab':
        gif.write_gif(tmp_path / (name + '.gif'), _frames(3))
    assert (tmp_path / 'a.gif').read_bytes() == (tmp_path / 'b.gif').read_bytes()


def test_a_gif_needs_frames_of_one_size(tmp_path):
    for frames in ([], [np.zeros([4, 4, 3], np.uint8), np.zeros([4, 6, 3], np.uint8)]):
        with pytest.raises(AssertionError):
            gif.write_gif(tmp_path / 'a.gif', frames)
    assert not list(tmp_path.iterdir())
