"""Files are whole or absent, and what is wrong with them is said in one line."""

import pytest

from dnnlib import files
from dnnlib.files import UserError


def test_replacing_puts_the_whole_file_in_place(tmp_path):
    path = tmp_path / 'deep' / 'down' / 'a.txt'
    with files.replacing(path) as temporary:
        temporary.write_text('new')
        assert temporary.parent == path.parent and temporary.suffix == '.txt'
        assert not path.exists()
    assert path.read_text() == 'new'
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    with pytest.raises(ZeroDivisionError):
        with files.replacing(path) as temporary:
            temporary.write_text('half')
            raise ZeroDivisionError
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


def test_text_keeps_its_line_ends_and_letters(tmp_path):
    text = 'Kleid "Größe 38"\r\nrobe d\u2019été\n\U0001f457'
    files.write_text(tmp_path / 'a.txt', text)
    assert (tmp_path / 'a.txt').read_bytes() == text.encode('utf-8')


def test_json_reads_back(tmp_path):
    value = {'a': [1, 2.5, None, True], 'größe': '\u2019'}
    files.write_json(tmp_path / 'a.json', value)
    assert files.read_json(tmp_path / 'a.json') == value
    assert 'größe' in (tmp_path / 'a.json').read_text(encoding='utf-8')


@pytest.mark.parametrize('content', [b'{"a": 1', b'', b'\xff\xfe'])
def test_bad_json_is_one_line_that_names_the_file(tmp_path, content):
    path = tmp_path / 'a.json'
    path.write_bytes(content)
    with pytest.raises(UserError, match='a.json is not valid JSON') as caught:
        files.read_json(path)
    assert '\n' not in str(caught.value)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(UserError, match='a.json is missing'):
        files.read_json(tmp_path / 'a.json')
    with pytest.raises(UserError, match='b does not exist; give the path of a catalogue'):
        files.existing(tmp_path / 'b', 'a catalogue')
    assert files.existing(str(tmp_path), 'a folder') == tmp_path
