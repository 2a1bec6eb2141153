"""Prompts come from lines, or from the tags in a table's rows."""

import pytest

from catalog import source
from dnnlib.files import UserError


def test_lines_of_a_text_file(tmp_path):
    (tmp_path / 'a.txt').write_text('red dress\n\n  meat dress \n', encoding='utf-8')
    assert source.read_prompts(tmp_path / 'a.txt') == ['red dress', 'meat dress']


def test_rows_of_a_table(tmp_path):
    (tmp_path / 'a.csv').write_text('colour,type,cut\nRed,Dress,\nred,midi_skirt,red\n',
                                    encoding='utf-8')
    assert source.read_prompts(tmp_path / 'a.csv', ('colour', 'type', 'cut')) == [
        'red dress', 'red midi skirt']


@pytest.mark.parametrize('name, content, columns, words', [
    ('a.csv', 'colour\nred\n', (), 'a.csv is a table; name its columns with --tag-columns'),
    ('a.csv', 'colour\nred\n', ('size',), 'size'),
    ('a.txt', '\n \n', (), 'a.txt has no prompts; write one per line'),
    ('b.txt', '', (), 'a.txt does not exist')])
def test_what_gives_no_prompts_is_refused(tmp_path, name, content, columns, words):
    (tmp_path / name).write_text(content, encoding='utf-8')
    with pytest.raises(UserError, match=words):
        source.read_prompts(tmp_path / name.replace('b', 'a'), columns)
