"""Where no catalogue is named the demo is drawn and pruned, once."""

import pytest

from catalog import demo_default
from catalog.demo import build
from dnnlib.files import UserError


def test_the_demo_is_made_on_first_use_and_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small, calls = build.write, []

    def write(folder):
        calls.append(folder)
        return small(folder, build.Demo(count=12))
    monkeypatch.setattr(build, 'write', write)
    products = demo_default.pictured()
    assert 0 < len(products) <= 12 and all(product.image.exists() for product in products)
    assert 'no --data given, so the demo catalogue is drawn in' in capsys.readouterr().out
    assert [p.name for p in demo_default.pictured()] == [p.name for p in products]
    assert calls == [demo_default.drawn()] and not capsys.readouterr().out


def test_a_catalogue_that_is_named_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'texts.csv').write_text('description\nA dress.\n')
    with pytest.raises(UserError, match=r'texts\.csv has no pictures'):
        demo_default.pictured(tmp_path / 'texts.csv')
    assert not demo_default.FOLDER.exists()
