"""Whatever a server does, the right file takes its name or none does, and the error says why."""

import contextlib
import gzip
import hashlib
import threading

import pytest
import requests
import toy_server
from toy_server import BODY, in_turn, ranged, whole

from dnnlib import files
from dnnlib.fetch import download
from dnnlib.files import UserError

SHA256 = hashlib.sha256(BODY).hexdigest()
DRIVE_FORM = b'''<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head>
<body><form id="download-form" action="/file" method="get"><input type="hidden" name="id"
value="A&amp;B"><input type="hidden" name="confirm" value="t"><input type="hidden" name="uuid"
value="1-2"><input type="submit" id="uc-download-link" value="Download anyway"></form></body>'''
QUOTA = (b'<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head><body>'
         b'<form action="/signin"><input name="email"></form>Too many users</body></html>')
DENIED = (b'\xef\xbb\xbf<?xml version="1.0"?><Error><Code>PublicAccessNotPermitted</Code>'
          b'<Message>Public access is not permitted.</Message></Error>')


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv('NO_PROXY', '127.0.0.1')
    with toy_server.running() as running:
        yield running


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'downloads' / 'a.pkl'


def _fetch(urls, path, size=len(BODY), sha256=SHA256, **more):
    urls = [urls] if isinstance(urls, str) else urls
    return download.fetch(urls, path, size=size, sha256=sha256, **dict({'pause': 0}, **more))


def _names(path):
    return sorted(each.name for each in path.parent.iterdir())


def _refused(urls, path, words, **more):
    with pytest.raises(UserError, match=words) as caught:
        _fetch(urls, path, **more)
    assert '\n' not in str(caught.value)
    return str(caught.value)


def _stop_half_way(server, path, cut=200000, **more):
    """Leave a part of `path` as a broken connection does; returns its address."""
    url = server.route('/file', ranged(drops=[cut], **more))
    _refused(url, path, 'the connection', retries=0)
    assert _names(path) == ['a.pkl.part', 'a.pkl.part.json']
    assert 0 < path.with_name('a.pkl.part').stat().st_size <= cut
    del server.asked[:]
    return url


def _assert_right(path):
    assert path.read_bytes() == BODY and _names(path) == ['a.pkl']


def test_a_good_file_arrives_once_and_is_not_asked_for_again(server, path):
    url = server.route('/file', ranged())
    assert _fetch(url, path) is True
    assert _fetch(url, path) is False
    assert server.asked == [('/file', None, None)]
    _assert_right(path)


def test_a_body_of_unknown_length_arrives(server, path):
    assert _fetch(server.route('/file', whole(Content_Length=None)), path, size=None)
    _assert_right(path)


def test_another_file_in_its_place_is_left_alone(server, path):
    path.parent.mkdir()
    path.write_bytes(BODY[:-1] + b'.')
    _refused(server.route('/file', ranged()), path, 'sha256.*delete it to get it again')
    assert path.read_bytes() == BODY[:-1] + b'.' and not server.asked


# --- Connections that break.

def test_a_dropped_connection_is_taken_up_where_it_broke(server, path):
    assert _fetch(server.route('/file', ranged(drops=[100000, 200000])), path, retries=1)
    starts = [int(wanted[len('bytes='):-1]) for wanted in server.ranges()[1:]]
    assert len(starts) == 2 and 0 < starts[0] <= 100000 < starts[1] <= 200000
    assert server.asked[1][2] == '"one"'
    _assert_right(path)


def test_a_later_call_goes_on_with_the_part(server, path):
    assert _fetch(_stop_half_way(server, path), path)
    assert len(server.asked) == 1 and server.ranges() != [None]
    _assert_right(path)


def test_a_weak_tag_is_not_sent_as_if_range(server, path):
    assert _fetch(_stop_half_way(server, path, tag='W/"one"'), path)
    assert server.ranges() != [None] and server.asked[0][2] is None
    _assert_right(path)


def test_retries_end_where_nothing_more_comes(server, path):
    url = server.route('/file', ranged(drops=[100000] * 9))
    _refused(url, path, 'the connection', retries=2)
    assert len(server.asked) == 3


def test_a_server_that_falls_silent_is_given_up(server, path, monkeypatch):
    monkeypatch.setattr(download, '_TIMEOUT', (20, 0.5))
    over = threading.Event()

    def answer(handler):
        handler.send_response(200)
        handler.send_header('Content-Length', str(len(BODY)))
        handler.end_headers()
        handler.wfile.write(BODY[:100000])
        handler.wfile.flush()
        over.wait()
    _refused(server.route('/file', answer), path, 'no connection .Read timed out', retries=0)
    over.set()
    assert _names(path) == ['a.pkl.part', 'a.pkl.part.json']


def test_an_answer_that_ends_early_without_an_error_is_noticed(server, path, monkeypatch):
    monkeypatch.setattr(requests.Response, 'iter_content', lambda *_: iter([BODY[:1000]]))
    _refused(server.route('/file', ranged()), path, 'ended after 1000 of 300000', retries=0)


def test_nobody_there_is_an_error_of_one_line(server, path):
    with toy_server.running() as gone:
        url = gone.route('/file', ranged())
    _refused(url, path, 'a.pkl could not be downloaded .*no connection .*refused', retries=1)


@pytest.mark.parametrize('url', ['file', 'ftp://a.com/file', 'http://[/file'])
def test_what_is_no_address_is_refused(server, path, url):
    _refused(url, path, 'a.pkl could not be downloaded')


# --- Answers to Range that are of no use.

def test_a_server_that_ignores_range_starts_over(server, path):
    url = _stop_half_way(server, path)
    server.route('/file', whole())
    assert _fetch(url, path) and server.ranges() != [None]
    _assert_right(path)


@pytest.mark.parametrize('keeps_if_range', [True, False])
def test_another_version_starts_over(server, path, keeps_if_range):
    url, new = _stop_half_way(server, path), BODY[::-1]

    def other(handler):
        if not keeps_if_range:
            del handler.headers['If-Range']
        ranged(new, tag='"two"')(handler)
    server.route('/file', other)
    assert _fetch(url, path, sha256=None)
    assert path.read_bytes() == new


def test_a_range_from_elsewhere_starts_over(server, path):
    url = _stop_half_way(server, path)
    server.route('/file', in_turn(
        whole(BODY[5:], 206, ETag='"one"', Content_Range='bytes 5-299999/300000'), whole()))
    assert _fetch(url, path) and len(server.asked) == 2
    _assert_right(path)


def test_a_part_that_is_complete_is_verified_and_named(server, path):
    url = _stop_half_way(server, path)
    path.with_name('a.pkl.part').write_bytes(BODY)
    assert _fetch(url, path) and server.ranges() == ['bytes=300000-']  # 416
    _assert_right(path)


@pytest.mark.parametrize('part', [BODY + b'more', BODY[::-1], BODY[:1000][::-1]],
                         ids=['longer', 'whole', 'shorter'])
def test_a_part_that_is_too_long_or_wrong_starts_over(server, path, part):
    url = _stop_half_way(server, path)
    path.with_name('a.pkl.part').write_bytes(part)
    assert _fetch(url, path) and server.ranges() == [f'bytes={len(part)}-', None]
    _assert_right(path)


def test_416_to_a_plain_question_is_refused(server, path):
    _refused(server.route('/file', whole(b'', 416)), path, '416')


def test_a_part_from_another_address_is_not_mixed_in(server, path):
    _stop_half_way(server, path)
    assert _fetch(server.route('/mirror', ranged(tag='"one"')), path)
    assert server.ranges() == [None]
    _assert_right(path)


# --- Wrong bytes.

def test_a_truncated_file_is_refused_before_it_is_loaded(server, path):
    _refused(server.route('/file', whole(BODY[:-9])), path, 'offers 299991 bytes, not 300000')
    assert not _names(path)


def test_a_truncated_file_of_unknown_length_is_refused(server, path):
    url = server.route('/file', whole(BODY[:-9], Content_Length=None))
    _refused(url, path, 'has 299991 bytes, not 300000; nothing of it is kept')
    assert not _names(path)


def test_a_corrupted_file_is_refused_and_nothing_is_kept(server, path):
    url = server.route('/file', whole(BODY[:-1] + b'.'))
    assert SHA256 in _refused(url, path, 'sha256.*nothing of it is kept')
    assert len(server.asked) == 1 and not _names(path)


def test_pieces_that_never_fit_are_asked_for_twice(server, path):
    url = server.route('/file', ranged(BODY[::-1], drops=[100000, None, 100000]))
    _refused(url, path, 'sha256')
    assert [wanted is None for wanted in server.ranges()] == [True, False, True, False]
    assert not _names(path)


@pytest.mark.parametrize('size', [len(BODY), None])
def test_a_body_is_stopped_where_the_file_ends(server, path, monkeypatch, size):
    monkeypatch.setattr(files, 'free', lambda path: 2 * len(BODY))

    def answer(handler):
        whole(BODY, Content_Length=None)(handler)
        with contextlib.suppress(OSError):
            for _ in range(200):
                handler.wfile.write(BODY)
    if size is None:  # then half of the space that is free
        answer = whole(BODY * 9, Content_Length=None)
    _refused(server.route('/file', answer), path, 'sends more than 300000 bytes', size=size)
    assert path.with_name('a.pkl.part').stat().st_size <= len(BODY)


@pytest.mark.parametrize('length', ['-300000', 'many', '300000, 300000', '300000, 5', '9' * 5000])
def test_odd_lengths_are_refused(server, path, length):
    error = _refused(server.route('/file', whole(Content_Length=length)), path, 'length|Length')
    assert len(error) < 300 and not _names(path)


@pytest.mark.parametrize('status', [200, 404])
def test_a_compressed_answer_is_not_unpacked(server, path, status):
    bomb = gzip.compress(bytes(1 << 20))
    words = {200: 'the answer is compressed', 404: '404 Not Found'}[status]
    _refused(server.route('/file', whole(bomb, status, Content_Encoding='gzip')), path, words)
    assert not _names(path)


@pytest.mark.parametrize('damage', ['', '[]', '{"url": 3}', '[' * 9999, '{"url": "URL"}',
                                    '{"url": "URL", "version": 7}'])
def test_a_part_that_nothing_tells_of_starts_over(server, path, damage):
    url = _stop_half_way(server, path)
    path.with_name('a.pkl.part.json').write_text(damage.replace('URL', url))
    assert _fetch(url, path) and server.ranges() == [None]
    _assert_right(path)


@pytest.mark.parametrize('damage', ['', '[]', '[' * 9999])
def test_a_damaged_record_of_first_copies_is_refused(server, path, damage):
    path.parent.mkdir()
    path.with_name('sha256.json').write_text(damage)
    _refused(server.route('/file', ranged()), path, 'sha256.json .*restore or delete it',
             sha256=None)
    assert not path.exists()


def test_an_empty_file_is_refused(server, path):
    _refused(server.route('/file', whole(b'')), path, '0 bytes', size=None, sha256=None)
    assert not _names(path)


def test_a_file_of_the_wrong_structure_is_refused(server, path):
    def check(found):
        if found.read_bytes() == BODY:
            raise UserError('no three networks')
    url = server.route('/file', whole())
    _refused(url, path, 'no three networks', size=None, sha256=None, check=check)
    assert not _names(path)


# --- Statuses and redirects.

@pytest.mark.parametrize('status, words', [(403, '403 Forbidden'), (404, '404 Not Found')])
def test_a_refusal_is_told_and_not_asked_again(server, path, status, words):
    error = _refused(server.route('/file', whole(DENIED, status)), path, words)
    assert 'PublicAccessNotPermitted' in error and len(server.asked) == 1


@pytest.mark.parametrize('status', [429, 500, 503])
def test_a_busy_server_is_asked_again(server, path, status):
    busy = whole(b'busy', status)
    assert _fetch(server.route('/file', in_turn(busy, busy, ranged())), path, retries=2)
    _assert_right(path)


def test_a_server_that_stays_busy_is_given_up(server, path):
    _refused(server.route('/file', whole(b'busy', 500)), path, '500', retries=2)
    assert len(server.asked) == 3


def test_pauses_double(server, path, monkeypatch):
    slept = []
    monkeypatch.setattr(download.time, 'sleep', slept.append)
    _refused(server.route('/file', whole(b'', 500)), path, '500', retries=3, pause=2)
    assert slept == [2, 4, 8]


def test_redirects_are_followed_and_resumed(server, path):
    server.route('/there', ranged(drops=[100000]))
    url = server.route('/file', whole(b'', 302, Location='/there'))
    assert _fetch(url, path)
    assert [asked[0] for asked in server.asked] == ['/file', '/there'] * 2
    assert server.ranges()[-1] is not None
    _assert_right(path)


def test_a_circle_of_redirects_is_refused(server, path):
    url = server.route('/file', whole(b'', 302, Location='/file'))
    _refused(url, path, '30 redirects')


# --- Web pages.

@pytest.mark.parametrize('kind', ['text/html; charset=utf-8', 'application/octet-stream', None])
@pytest.mark.parametrize('page, words', [
    (QUOTA, 'Google Drive - Quota exceeded'), (DENIED, 'PublicAccessNotPermitted')])
def test_a_page_in_place_of_the_file_is_refused(server, path, page, words, kind):
    url = server.route('/file', whole(page, Content_Type=kind))
    error = _refused(url, path, words, size=None, sha256=None)
    assert 'quota is used up or the link is dead' in error and not _names(path)


def test_a_body_declared_a_page_is_refused(server, path):
    _refused(server.route('/file', whole(b'Gone.', Content_Type='text/html')), path, "'Gone.'")


@pytest.mark.parametrize('length', [None, len(DRIVE_FORM)])
def test_a_drive_confirmation_is_given_and_the_file_resumed(server, path, length):
    url = server.route('/uc?id=7', whole(DRIVE_FORM, Content_Type='text/html',
                                         Content_Length=length))
    server.route('/file?id=A%26B&confirm=t&uuid=1-2', ranged(drops=[100000]))
    assert _fetch(url, path)
    assert len(server.asked) == 4 and server.ranges()[-1] is not None
    _assert_right(path)


def test_a_confirmation_is_given_only_once(server, path):
    url = server.route('/uc?id=7', whole(DRIVE_FORM))
    server.route('/file?id=A%26B&confirm=t&uuid=1-2', whole(DRIVE_FORM))
    _refused(url, path, 'Virus scan warning')
    assert len(server.asked) == 2


# --- Mirrors, trust, disk.

def test_mirrors_are_tried_in_turn(server, path):
    urls = [server.route('/dead', whole(b'', 404)), server.route('/quota', whole(QUOTA)),
            server.route('/good', ranged()), server.route('/unused', ranged())]
    assert _fetch(urls, path)
    assert [asked[0] for asked in server.asked] == ['/dead', '/quota', '/good']
    _assert_right(path)


def test_the_error_says_what_each_mirror_answered(server, path):
    urls = [server.route('/dead', whole(b'', 404)), server.route('/quota', whole(QUOTA))]
    error = _refused(urls, path, '/dead: 404 Not Found; .*/quota: a web page')
    with pytest.raises(download.Unavailable, match='quota'):
        _fetch(urls, path)
    assert str(path) in error
    _refused([], path, 'a.pkl has no address')


def test_the_first_copy_is_trusted_and_every_later_one_compared(server, path):
    url = server.route('/file', in_turn(whole(), whole(BODY[::-1])))
    assert _fetch(url, path, size=None, sha256=None)
    assert files.read_json(path.with_name('sha256.json')) == {'a.pkl': SHA256}
    assert _fetch(url, path, size=None, sha256=None) is False
    path.unlink()
    _refused(url, path, f'the first copy had {SHA256}', size=None, sha256=None)
    assert _names(path) == ['sha256.json']


def test_a_full_disk_is_noticed_before(server, path, monkeypatch):
    monkeypatch.setattr(files, 'free', lambda path: 299999)
    _refused(server.route('/file', ranged()), path, '300 kB are needed, 300 kB are free')
    assert not path.exists()


def test_a_folder_that_cannot_be_made_is_named(server, path):
    path.parent.write_text('a file')
    with pytest.raises(OSError, match='downloads'):
        _fetch(server.route('/file', ranged()), path)


# --- Files that a person brings.

def _bring(source, path, sha256=SHA256, **more):
    return download.from_file(source, path, size=None, sha256=sha256, **more)


def test_a_file_from_a_browser_is_verified_and_copied(tmp_path, path):
    source = tmp_path / 'uc'
    source.write_bytes(BODY)
    assert _bring(source, path) is True and _bring(source, path) is False
    _assert_right(path)
    assert source.read_bytes() == BODY


@pytest.mark.parametrize('content, words', [
    (BODY[:9], 'has the sha256'), (b'', '0 bytes'), (QUOTA, 'quota')])
def test_a_wrong_file_from_a_browser_is_refused(tmp_path, path, content, words):
    (tmp_path / 'uc').write_bytes(content)
    with pytest.raises(UserError, match=words):
        _bring(tmp_path / 'uc', path)
    assert not path.exists()


def test_the_first_file_from_a_browser_is_trusted(tmp_path, path):
    (tmp_path / 'uc').write_bytes(BODY)
    assert _bring(tmp_path / 'uc', path, sha256=None)
    assert files.read_json(path.with_name('sha256.json')) == {'a.pkl': SHA256}


def test_a_missing_file_is_named(tmp_path, path):
    with pytest.raises(UserError, match='nowhere does not exist'):
        _bring(tmp_path / 'nowhere', path)


# --- Whether a file is the one that was meant.

RIGHT, WRONG = b'right bytes', b'wrong bytes'
RIGHT_SHA256 = hashlib.sha256(RIGHT).hexdigest()


@pytest.fixture
def right(tmp_path):
    (tmp_path / 'a').write_bytes(RIGHT)
    return tmp_path / 'a'


def test_what_is_known_is_compared(right):
    assert download.Expected(right, size=11, sha256=RIGHT_SHA256).verify(right) == RIGHT_SHA256
    for wrong, words in ((dict(size=12), 'has 11 bytes, not 12'),
                         (dict(sha256='0' * 64), f'has the sha256 {RIGHT_SHA256}, not 0000')):
        with pytest.raises(UserError, match=words):
            download.Expected(right, **wrong).verify(right)


def test_pages_and_empty_files_are_never_right(right):
    for content, words in ((b' <html><title>Quota</title>', "a web page \\('Quota'\\)"),
                           (b'', 'has 0 bytes')):
        right.write_bytes(content)
        with pytest.raises(UserError, match=words):
            download.Expected(right).verify(right)


def test_the_check_is_asked_last(right):
    seen = []
    with pytest.raises(UserError, match='has 11 bytes, not 12'):
        download.Expected(right, size=12, check=seen.append).verify(right)
    assert not seen
    download.Expected(right, size=11, check=seen.append).verify(right)
    assert seen == [right]


def test_the_first_copy_is_remembered(right):
    expected = download.Expected(right)
    assert expected.is_there() and expected.is_there()
    assert files.read_json(right.parent / 'sha256.json') == {'a': RIGHT_SHA256}
    right.write_bytes(WRONG)
    with pytest.raises(UserError, match=f'first copy had {RIGHT_SHA256}.*delete it to get it'):
        expected.is_there()
    assert files.read_json(right.parent / 'sha256.json') == {'a': RIGHT_SHA256}


def test_several_files_share_a_record(right):
    other = right.parent / 'b'
    other.write_bytes(WRONG)
    assert download.Expected(right).is_there() and download.Expected(other).is_there()
    assert sorted(files.read_json(right.parent / 'sha256.json')) == ['a', 'b']


def test_a_published_sha256_needs_no_record(right):
    assert download.Expected(right, sha256=RIGHT_SHA256).is_there()
    assert not (right.parent / 'sha256.json').exists()


def test_a_missing_file_is_not_there(right):
    assert not download.Expected(right.parent / 'b').is_there()
