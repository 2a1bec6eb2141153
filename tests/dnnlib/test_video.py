"""Videos have the frames, size and colours that were sent, the same bytes, and no half files."""

import json

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from dnnlib import video
from dnnlib.files import UserError


def _frames(count, height=48, width=80):
    """Flat colours in quarters, a new set for each frame: uint8 [count, height, width, 3]."""
    colours = np.random.RandomState([7, count]).randint(0, 256, [count, 2, 2, 3], np.uint8)
    return colours.repeat(height // 2, axis=1).repeat(width // 2, axis=2)


def _read(path):
    """-> (what ffmpeg says about the file, uint8 [n, h, w, 3])."""
    reader = imageio_ffmpeg.read_frames(str(path))
    about = next(reader)
    width, height = about['size']
    return about, np.stack([np.frombuffer(data, np.uint8).reshape(height, width, 3)
                            for data in reader])


@pytest.mark.parametrize('height, width', [(48, 80), (50, 34)])  # the second: no multiples of 16
def test_reads_back(tmp_path, height, width):
    frames = _frames(12, height, width)
    assert video.write_mp4(tmp_path / 'a.mp4', iter(frames), fps=24) == 12
    about, back = _read(tmp_path / 'a.mp4')
    assert about['codec'] == 'h264' and about['pix_fmt'].startswith('yuv420p')
    assert 'bt709' in about['pix_fmt']
    assert about['fps'] == 24 and about['size'] == (width, height)
    assert imageio_ffmpeg.count_frames_and_secs(str(tmp_path / 'a.mp4'))[0] == 12
    middles = np.s_[:, height // 4::height // 2, width // 4::width // 2]  # away from chroma edges
    difference = np.abs(back[middles].astype(int) - frames[middles].astype(int))
    assert difference.max() <= 8, difference.max()


def test_same_bytes(tmp_path):
    for name in ('a.mp4', 'b.mp4'):
        video.write_mp4(tmp_path / name, _frames(9))
    assert (tmp_path / 'a.mp4').read_bytes() == (tmp_path / 'b.mp4').read_bytes()


def test_index_comes_first(tmp_path):
    video.write_mp4(tmp_path / 'a.mp4', _frames(3))
    data = (tmp_path / 'a.mp4').read_bytes()
    assert 0 < data.index(b'moov') < data.index(b'mdat')


def test_failing_frames_leave_the_old_video(tmp_path):
    def broken():
        yield from _frames(2)
        raise OSError('no more frames')

    path = tmp_path / 'a.mp4'
    video.write_mp4(path, _frames(3))
    before = path.read_bytes()
    with pytest.raises(OSError, match='no more frames'):
        video.write_mp4(path, broken())
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('frames', [
    [], _frames(1)[:, 1:], _frames(1)[:, :, 1:], _frames(1)[..., :2], _frames(1).astype(float),
    [_frames(1)[0], _frames(1, 16, 16)[0]]])
def test_wrong_frames_are_refused(tmp_path, frames):
    with pytest.raises(AssertionError):
        video.write_mp4(tmp_path / 'a.mp4', frames)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('script', [None, 'exit 1', 'cat > /dev/null'])
def test_ffmpeg_that_does_not_work(tmp_path, monkeypatch, script):
    program = tmp_path / 'ffmpeg'
    if script:
        program.write_text(f'#!/bin/sh\n{script}\n')
        program.chmod(0o755)
    monkeypatch.setenv('IMAGEIO_FFMPEG_EXE', str(program))
    with pytest.raises(UserError, match=r'^[^\n]* pip install [^\n]*$'):
        video.write_mp4(tmp_path / 'out' / 'a.mp4', _frames(3))
    assert not list((tmp_path / 'out').iterdir())


# --- Animated GIFs.

def _coloured(count=5):
    frames = np.full([count, 20, 30, 3], 255, np.uint8)
    for index, frame in enumerate(frames):
        frame[4:12, 4 * index:4 * index + 8] = [200, 30 * index, 40]
    return list(frames)


def test_frames_of_a_gif_come_back(tmp_path):
    frames = _coloured()
    assert video.write_gif(tmp_path / 'a.gif', iter(frames), fps=20, origin={'seed': 7}) == 5
    with Image.open(str(tmp_path / 'a.gif')) as film:
        assert film.n_frames == 5 and film.info['loop'] == 0 and film.info['duration'] == 50
        assert json.loads(film.info['comment'].decode()) == {'seed': '7'}
        for index, frame in enumerate(frames):
            film.seek(index)
            shown = np.asarray(film.convert('RGB')).astype(int)
            assert np.abs(shown - frame).max() <= 8, index


def test_the_same_frames_of_a_gif_give_the_same_bytes(tmp_path):
    for name in 'ab':
        video.write_gif(tmp_path / (name + '.gif'), _coloured(3))
    assert (tmp_path / 'a.gif').read_bytes() == (tmp_path / 'b.gif').read_bytes()


def test_a_gif_needs_frames_of_one_size(tmp_path):
    for frames in ([], [np.zeros([4, 4, 3], np.uint8), np.zeros([4, 6, 3], np.uint8)]):
        with pytest.raises(AssertionError):
            video.write_gif(tmp_path / 'a.gif', frames)
    assert not list(tmp_path.iterdir())
