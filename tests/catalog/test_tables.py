import re

import pytest

from catalog import source, tables
from dnnlib.files import UserError


def written(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode('utf-8'))
    return path


def test_one_document_per_line_with_any_line_end(tmp_path):
    data = '\ufeffOne.\r\n\r\n \t\n  Two dr\u00e9sses. \rThree\u2028and\x0cfour.\n\ufeffFive.'
    assert tables.read_documents(written(tmp_path / 'x.txt', data)) == [
        'One.', 'Two dr\u00e9sses.', 'Three\u2028and\x0cfour.', 'Five.']


def test_separated_documents_keep_their_line_breaks(tmp_path):
    data = 'One.\n- Lined\n<|endoftext|>\nTwo.\r\n- Short<|endoftext|>Three.<|endoftext|>\n'
    assert tables.read_documents(written(tmp_path / 'x.txt', data)) == [
        'One.\n- Lined', 'Two.\n- Short', 'Three.']


def test_one_separated_document_per_line(tmp_path):
    data = 'One.<|endoftext|>\nTwo.<|endoftext|>\n'
    assert tables.read_documents(written(tmp_path / 'x.txt', data)) == ['One.', 'Two.']


def test_a_line_of_five_megabytes(tmp_path):
    long = 'silk ' * 1000000
    path = written(tmp_path / 'x.txt', f'Short.\n{long}\nLast.\n')
    assert [len(text) for text in tables.read_documents(path)] == [6, len(long) - 1, 5]
    path = written(tmp_path / 'x.csv', f'description,colour\n"{long}",red\n')
    assert len(source.read(path)[0].description) == len(long) - 1
    path = written(tmp_path / 'x.jsonl', f'{{"description": "{long}"}}\n')
    assert len(source.read(path)[0].description) == len(long) - 1


def test_rows_of_json_lines(tmp_path):
    data = ('{"text": "A dress.\\n- Lined", "colour": "red", "size": 4, "tags": ["x"]}\r\n\r\n'
            '{"text": "Dr\u00e9ss \\ud800", "colour": null}\n{"size": true, "more": ""}')
    rows = tables.read_json_lines(written(tmp_path / 'x.jsonl', data), ['text', 'colour'])
    assert rows == [{'text': 'A dress.\n- Lined', 'colour': 'red', 'size': '4'},
                    {'text': 'Dr\u00e9ss ?', 'colour': ''},
                    {'text': '', 'colour': '', 'size': 'True', 'more': ''}]


@pytest.mark.parametrize('name, data, expected', [
    ('latin.txt', b'Fine.\r\n\r\nRobe d\xe9t\xe9\n', ('latin.txt line 3', 'UTF-8', 'byte 15')),
    ('old.txt', b'Fine.\rRobe d\xe9t\xe9\r', ('old.txt line 2', 'UTF-8')),
    ('cut.txt', 'Fine.\nÉté'.encode()[:-1], ('cut.txt line 2', 'UTF-8')),
    ('surrogate.txt', b'Fine.\n\xed\xa0\x80\n', ('surrogate.txt line 2', 'UTF-8')),
    ('utf16.txt', b'\xff\xfeF\0\0', ('utf16.txt line 1', 'UTF-16')),
    ('utf16.txt', 'Fine.'.encode('utf-16-le'), ('utf16.txt line 1', 'NUL')),
    ('nul.txt', b'Fine.\nA\0B\n', ('nul.txt line 2', 'NUL')),
    ('latin.csv', b'description\n"Two\nlines"\nd\xe9t\xe9\n', ('latin.csv line 4', 'UTF-8')),
    ('nul.csv', b'description\nA\0B\n', ('nul.csv line 2', 'NUL')),
    ('latin.jsonl', b'{}\n{"description": "d\xe9t\xe9"}\n', ('latin.jsonl line 2', 'UTF-8')),
    ('cut.jsonl', b'{"description": "A"}\n\n{"description"\n', ('cut.jsonl line 3', 'not JSON')),
    ('deep.jsonl', b'[' * 100000, ('deep.jsonl line 1', 'not JSON')),
    ('list.jsonl', b'{"description": "A"}\n["A"]\n', ('list.jsonl line 2', 'not an object')),
    ('cell.jsonl', b'{"description": ["A"]}\n', ('cell.jsonl line 1', "'description' is a list")),
    ('column.jsonl', b'{"text": "A", "hue": 1}\n', ("no column 'description'", 'text, hue')),
    ('empty.jsonl', b'\n', ("no column 'description'", 'empty'))])
def test_unreadable_files_are_refused_by_file_and_line(tmp_path, name, data, expected):
    with pytest.raises(UserError, match=re.escape(expected[0])) as caught:
        source.read(written(tmp_path / name, data))
    message = str(caught.value)
    assert '\n' not in message and all(word in message for word in expected), message
