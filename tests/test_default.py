"""Where no catalogue is named the demo is drawn and pruned, once."""

import pytest

from catalog import default, demo
from dnnlib.files import UserError


def test_the_demo_is_made_on_first_use_and_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small, calls = demo.write, []

    def write(folder):
        calls.append(folder)
        return small(folder, demo.Demo(count=12))
    monkeypatch.setattr(demo, 'write', write)
    products = default.pictured()
    assert 0 < len(products) <= 12 and all(product.image.exists() for product in products)
    assert 'no --data given, so the demo catalogue is drawn in' in capsys.readouterr().out
    assert [p.name for p in default.pictured()] == [p.name for p in products]
    assert calls == [default.drawn()] and not capsys.readouterr().out


def test_a_catalogue_that_is_named_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'texts.csv').write_text('description\nA dress.\n')
    with pytest.raises(UserError, match='texts.csv has no pictures'):
        default.pictured(tmp_path / 'texts.csv')
    assert not default.FOLDER.exists()
