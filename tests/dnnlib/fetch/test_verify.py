"""A file is the one that was meant, by all that is known of it and by what was seen first."""

import hashlib

import pytest

from dnnlib import files
from dnnlib.files import UserError
from dnnlib.fetch.verify import Expected, sha256

RIGHT, WRONG = b'right bytes', b'wrong bytes'
SHA256 = hashlib.sha256(RIGHT).hexdigest()


@pytest.fixture
def path(tmp_path):
    (tmp_path / 'a').write_bytes(RIGHT)
    return tmp_path / 'a'


def test_sha256_is_the_known_one(tmp_path):
    (tmp_path / 'a').write_bytes(b'abc')  # FIPS 180-4, example B.1
    assert sha256(tmp_path / 'a') == (
        'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')


def test_what_is_known_is_compared(path):
    assert Expected(path, size=11, sha256=SHA256).verify(path) == SHA256
    for wrong, words in ((dict(size=12), 'has 11 bytes, not 12'),
                         (dict(sha256='0' * 64), f'has the sha256 {SHA256}, not 0000')):
        with pytest.raises(UserError, match=words):
            Expected(path, **wrong).verify(path)


def test_pages_and_empty_files_are_never_right(path):
    for content, words in ((b' <html><title>Quota</title>', "a web page \\('Quota'\\)"),
                           (b'', 'has 0 bytes')):
        path.write_bytes(content)
        with pytest.raises(UserError, match=words):
            Expected(path).verify(path)


def test_the_check_is_asked_last(path):
    seen = []
    with pytest.raises(UserError):
        Expected(path, size=12, check=seen.append).verify(path)
    assert not seen
    Expected(path, size=11, check=seen.append).verify(path)
    assert seen == [path]


def test_the_first_copy_is_remembered(path):
    expected = Expected(path)
    assert expected.is_there() and expected.is_there()
    assert files.read_json(path.parent / 'sha256.json') == {'a': SHA256}
    path.write_bytes(WRONG)
    with pytest.raises(UserError, match=f'first copy had {SHA256}.*delete it to get it again'):
        expected.is_there()
    assert files.read_json(path.parent / 'sha256.json') == {'a': SHA256}


def test_several_files_share_a_record(path):
    other = path.parent / 'b'
    other.write_bytes(WRONG)
    assert Expected(path).is_there() and Expected(other).is_there()
    assert sorted(files.read_json(path.parent / 'sha256.json')) == ['a', 'b']


def test_a_published_sha256_needs_no_record(path):
    assert Expected(path, sha256=SHA256).is_there()
    assert not (path.parent / 'sha256.json').exists()


def test_a_missing_file_is_not_there(path):
    assert not Expected(path.parent / 'b').is_there()
