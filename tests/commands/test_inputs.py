"""The newest run is taken, then what is pretrained; without a catalogue, the demo."""

import argparse
import os
import types

import numpy as np
import pytest

from catalog import source
from catalog.demo import build
from commands import inputs, measure
from dnnlib import files, images
from dnnlib.files import UserError
from stylegan import dataset


def test_the_newest_run_comes_before_the_pretrained_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pretrained = inputs.newest('tagger.npz', '--tagger')
    assert inputs.pretrained(pretrained) and capsys.readouterr() == ('', '')
    for name, time in (('old', 1000), ('new', 2000), ('older', 500)):
        path = tmp_path / 'runs' / name / 'tagger.npz'
        path.parent.mkdir(parents=True)
        path.write_bytes(b'')
        os.utime(str(path), (time, time))
    assert inputs.newest('tagger.npz', '--tagger') == inputs.RUNS / 'new' / 'tagger.npz'
    assert not inputs.pretrained(inputs.newest('tagger.npz', '--tagger'))
    # Announced once, and not among the results.
    assert capsys.readouterr() == (
        '', 'no --tagger given, so the newest run is used: runs/new\n')


def test_a_pretrained_model_beside_another_network_is_announced(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(inputs, '_announced', set())
    options = argparse.Namespace(stylegan=None, gpt2=None, tagger=None)
    assert inputs.pretrained(inputs.gpt2(options)) and inputs.pretrained(inputs.tagger(options))
    assert capsys.readouterr() == ('', '')
    options.stylegan = tmp_path / 'run'
    inputs.tagger(options)
    assert capsys.readouterr().err == ''  # a network that is not there will be refused
    options.stylegan.mkdir()
    for _ in range(2):
        assert inputs.pretrained(inputs.gpt2(options))
        assert inputs.pretrained(inputs.tagger(options))
    assert [line.split(',')[0] for line in capsys.readouterr().err.splitlines()] == [
        'no --gpt2 given', 'no --tagger given']


def test_where_nothing_is_trained_it_says_how(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match='make train-stylegan'):
        inputs.newest('nothing.npz', '--tagger')


def test_sizes_tell_images_of_the_same_name_apart(tmp_path):
    files = [tmp_path / name for name in ('a.png', 'b.png')]
    files[0].write_bytes(b'123')
    products = [source.Product(path, path.name, '', '', (), '') for path in files] + [
        source.Product(None, '', 'a text', '', (), '')]
    assert inputs.sizes(products) == [3, None, None]


def test_the_demo_is_made_on_first_use_and_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small, calls = build.write, []

    def write(folder):
        calls.append(folder)
        return small(folder, build.Demo(count=12))
    monkeypatch.setattr(build, 'write', write)
    products = inputs.pictured()
    assert 0 < len(products) <= 12 and all(product.image.exists() for product in products)
    assert 'no --data given, so the demo catalogue is drawn in' in capsys.readouterr().out
    assert [p.name for p in inputs.pictured()] == [p.name for p in products]
    assert calls == [inputs.demo_drawn()] and not capsys.readouterr().out


def test_a_catalogue_that_is_named_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'texts.csv').write_text('description\nA dress.\n')
    with pytest.raises(UserError, match=r'texts\.csv is one file and has no images'):
        inputs.pictured(tmp_path / 'texts.csv')
    assert not inputs.DEMO.exists()


def test_metrics_packs_another_catalogue_with_the_same_names_anew(tmp_path):
    gan = types.SimpleNamespace(path=tmp_path / 'run' / 'a.npz', res=8)
    found = []
    for grey in (0, 200):
        folder = tmp_path / str(grey)
        for index in range(3):
            images.write_png(folder / 'dress' / f'{index}.png',
                             np.full([16, 16, 3], grey, np.uint8))
        options = types.SimpleNamespace(records=None, data=folder, out=tmp_path / 'out', fit='pad')
        records = measure._records(options, types.SimpleNamespace(seed=0), gan)
        found.append(records.batch(0, 1, 8)[0].mean())
    assert found == [0, 200]


def test_metrics_reads_the_set_that_a_run_was_trained_on(tmp_path):
    def records(run):
        options = types.SimpleNamespace(records=None, data=None, out=tmp_path / 'out', fit='pad')
        gan = types.SimpleNamespace(path=tmp_path / run / 'a.npz', res=8)
        return measure._records(options, types.SimpleNamespace(seed=0), gan)
    images.write_png(tmp_path / 'grey.png', np.full([16, 16, 3], 90, np.uint8))
    for folder in ('own/records', 'elsewhere'):
        dataset.pack([str(tmp_path / 'grey.png')] * 3, tmp_path / folder, 8)
    for run, paths in (('own', {}), ('named', {'records': str(tmp_path / 'elsewhere')}),
                       ('lost', {'records': str(tmp_path / 'gone')})):
        files.write_json(tmp_path / run / 'options.json', {'options': {}, 'paths': paths})
    assert [records(run).batch(0, 1, 8)[0].mean() for run in ('own', 'named')] == [90, 90]
    with pytest.raises(UserError, match=r'gone, the training set of .*lost, does not exist'):
        records('lost')
