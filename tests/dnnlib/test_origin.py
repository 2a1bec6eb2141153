"""An origin says synthetic and what made a file, without a time, wherever a file has room."""

import json
import re
import subprocess

import imageio_ffmpeg
import numpy as np

from dnnlib import files, images, runs, video

FACTS = runs.origin_of(seed=7, psi=0.7, stylegan='runs/kjole/größe.npz', quoted='"; \\ \'=')
RGB = np.random.RandomState(0).randint(0, 256, [16, 16, 3]).astype(np.uint8)


def _told(facts):
    return {name: str(value) for name, value in facts.items()}


def test_an_origin_is_synthetic_flat_and_without_a_time():
    facts = runs.origin_of(seed=7)
    assert facts['synthetic'] == 'yes' and facts['project'] and facts['seed'] == 7
    assert facts['tensorflow'] and facts == runs.origin_of(seed=7)
    assert all(isinstance(value, (str, int, float)) for value in facts.values())
    assert not re.search(r'\d\d:\d\d', ' '.join(_told(facts).values()))


def test_images_carry_their_origin_and_nothing_else_changes(tmp_path):
    told, plain, again = [tmp_path / f'{name}.png' for name in ('told', 'plain', 'again')]
    images.write_png(told, RGB, FACTS)
    images.write_png(plain, RGB)
    assert images.read_origin(told) == _told(FACTS) and images.read_origin(plain) == {}
    assert np.array_equal(images.read_rgb(told), images.read_rgb(plain))
    images.write_png(again, RGB, FACTS)
    assert told.read_bytes() == again.read_bytes()


def test_names_that_are_not_utf8_are_told_as_escapes(tmp_path):
    images.write_png(tmp_path / 'a.png', RGB, {'target': 'robe-\udce9t\udce9'})
    target = images.read_origin(tmp_path / 'a.png')['target']
    assert target.encode('utf-8', 'backslashreplace') == b'robe-\\udce9t\\udce9'
    files.write_json(tmp_path / 'a.json', {'name': 'robe-\udce9'})
    assert files.read_json(tmp_path / 'a.json') == {'name': 'robe-\udce9'}


def _comment(path):
    """The comment of a video, as ffmpeg itself reads it."""
    said = subprocess.check_output([imageio_ffmpeg.get_ffmpeg_exe(), '-v', 'error', '-i',
                                    str(path), '-f', 'ffmetadata', '-'])
    found = re.search(r'^comment=((?:[^\n\\]|\\.)*)', said.decode(), re.M)
    return re.sub(r'\\(.)', r'\1', found.group(1)) if found else ''


def test_videos_carry_their_origin(tmp_path):
    video.write_mp4(tmp_path / 'a.mp4', [RGB, RGB], origin=FACTS)
    assert json.loads(_comment(tmp_path / 'a.mp4')) == _told(FACTS)
    video.write_mp4(tmp_path / 'b.mp4', [RGB, RGB], origin=FACTS)
    assert (tmp_path / 'a.mp4').read_bytes() == (tmp_path / 'b.mp4').read_bytes()
    video.write_mp4(tmp_path / 'plain.mp4', [RGB, RGB])
    assert not _comment(tmp_path / 'plain.mp4')


def test_outside_a_checkout_there_is_no_commit(monkeypatch):
    monkeypatch.setenv('PATH', '')
    assert runs.commit() == ''
