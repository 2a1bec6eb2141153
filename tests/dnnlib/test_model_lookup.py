"""The newest run is taken, then what came with the project."""

import os

import pytest

from dnnlib import model_lookup
from dnnlib.files import UserError


def test_the_newest_run_comes_before_the_pretrained_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped = model_lookup.newest('tagger.npz')
    assert model_lookup.shipped(shipped)
    for name, time in (('old', 1000), ('new', 2000), ('older', 500)):
        path = tmp_path / 'runs' / name / 'tagger.npz'
        path.parent.mkdir(parents=True)
        path.write_bytes(b'')
        os.utime(str(path), (time, time))
    assert model_lookup.newest('tagger.npz') == model_lookup.RUNS / 'new' / 'tagger.npz'
    assert not model_lookup.shipped(model_lookup.newest('tagger.npz'))


def test_where_nothing_is_trained_it_says_how(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match='make train-stylegan'):
        model_lookup.newest('nothing.npz')
