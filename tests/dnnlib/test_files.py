"""Files are whole or absent, and what is wrong with them is said in one line."""

import errno
import os

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
    def fail():
        with files.replacing(path) as temporary:
            temporary.write_text('half')
            raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        fail()
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


@pytest.mark.parametrize('content, words', [
    (b'{"a": 1', 'valid JSON'), (b'', 'valid JSON'), (b'\xff\xfe', 'UTF-8 text')])
def test_bad_json_is_one_line_that_names_the_file(tmp_path, content, words):
    path = tmp_path / 'a.json'
    path.write_bytes(content)
    with pytest.raises(UserError, match='a.json is not ' + words) as caught:
        files.read_json(path)
    assert '\n' not in str(caught.value)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(UserError, match=r'a.json is missing'):
        files.read_json(tmp_path / 'a.json')
    with pytest.raises(UserError, match='b does not exist; give the path of a catalogue'):
        files.existing(tmp_path / 'b', 'a catalogue')
    assert files.existing(str(tmp_path), 'a folder') == tmp_path


@pytest.mark.parametrize('content, words', [
    ('[' * 100000, 'nested too deeply'), ('[' * 70 + ']' * 70, 'nested too deeply'),
    ('{"a": NaN}', 'not finite'), ('{"a": 1e999}', 'not finite'), ('{"a": ' + '1' * 9999 + '}',
                                                                   '9999 digits'),
    ('[1]', 'does not hold what it should, a JSON object')])
def test_json_from_elsewhere_is_bounded(tmp_path, content, words):
    (tmp_path / 'a.json').write_text(content)
    with pytest.raises(UserError, match=words):
        files.read_json(tmp_path / 'a.json')


def test_only_files_of_a_fair_size_are_read(tmp_path):
    os.mkfifo(str(tmp_path / 'pipe.json'))
    for name in ('pipe.json', ''):
        with pytest.raises(UserError, match='is not a file'):
            files.read_json(tmp_path / name)
    (tmp_path / 'a.txt').write_text('12345')
    assert files.read_text(tmp_path / 'a.txt', limit=5) == '12345'
    with pytest.raises(UserError, match=r'a.txt is larger than'):
        files.read_text(tmp_path / 'a.txt', limit=4)


def test_what_is_printed_cannot_move_the_cursor():
    assert files.printable('robe été \U0001f457 a\\b') == 'robe été \U0001f457 a\\b'
    assert files.printable('a\nb\x1b[2Jc\u202ed\udce9') == 'a\\nb\\x1b[2Jc\\u202ed\\udce9'


def test_a_full_disk_is_said_in_one_line(tmp_path, monkeypatch):
    def fails(number):
        with files.replacing(tmp_path / 'a.txt') as unfinished:
            unfinished.write_text('half')
            raise OSError(number, os.strerror(number) if number else 'encoder error -2')
    with pytest.raises(files.DiskFull, match=r'the disk is full: .*a.txt.*type the same command'):
        fails(errno.ENOSPC)
    with pytest.raises(OSError, match=r'[Pp]ermission'):
        fails(errno.EACCES)
    with pytest.raises(files.UserError, match=r'a.txt.* larger than files may be.*ulimit'):
        fails(errno.EFBIG)
    monkeypatch.setattr(files, 'free', lambda path: 1000)
    with pytest.raises(files.DiskFull, match='1 kB are free'):
        fails(None)
    with pytest.raises(files.DiskFull, match=r'about 2.5 MB are needed'):
        files.need_space(tmp_path / 'new' / 'a', 2500000)
    assert list(tmp_path.iterdir()) == []


def test_a_digest_is_of_the_contents_not_of_the_place(tmp_path):
    for name in ('a', 'b'):
        (tmp_path / name / 'deep').mkdir(parents=True)
        (tmp_path / name / 'deep' / 'x').write_text('1')
        (tmp_path / name / '.lock').write_text(name)
    assert files.digest(tmp_path / 'a') == files.digest(tmp_path / 'b')
    (tmp_path / 'b' / 'deep' / 'x').write_text('2')
    assert files.digest(tmp_path / 'a') != files.digest(tmp_path / 'b')
    (tmp_path / 'abc').write_text('abc')
    assert files.digest(tmp_path / 'abc') == 'ba7816bf8f01cfea'


def test_sha256_is_the_known_one(tmp_path):
    (tmp_path / 'a').write_bytes(b'abc')  # FIPS 180-4, example B.1
    assert files.sha256(tmp_path / 'a') == (
        'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
