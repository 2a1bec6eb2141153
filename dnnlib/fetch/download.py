"""Download one file: resumed where it stopped, and verified before it takes its name."""

import contextlib
import itertools
import os
import pathlib
import re
import shutil
import time

import requests

from dnnlib import files, progress
from dnnlib.fetch import webpage
from dnnlib.files import UserError
from dnnlib.fetch.part import Part
from dnnlib.fetch.verify import Expected

_CHUNK = 1 << 16
_PAGE = 64  # chunks of a web page that are looked at
_TIMEOUT = (20, 60)  # seconds to connect, and of silence
_TRY_AGAIN = (408, 429)  # and every 5xx
_AS_STORED = {'Accept-Encoding': 'identity'}


class Unavailable(UserError):
    """No address gave the file; the message says what each one answered."""


class _Refused(Exception):
    """This address does not give the file, and asking again would not help."""


class _Dropped(Exception):
    """The connection broke, or the server is busy: what has come is kept, ask again."""


def _words(error):
    """The last clause of an error of requests, which repeats the whole chain of causes."""
    return str(error).rsplit(': ', 1)[-1].strip('"\')')


@contextlib.contextmanager
def _network_errors():
    """Turn the errors of requests into ours."""
    try:
        yield
    except requests.exceptions.ChunkedEncodingError:
        raise _Dropped('the connection broke')
    except (requests.exceptions.SSLError, requests.exceptions.TooManyRedirects,
            requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema,
            requests.exceptions.MissingSchema) as error:
        raise _Refused(_words(error))
    except requests.RequestException as error:
        raise _Dropped(f'no connection ({_words(error)})')


def _version(headers):
    """What If-Range may name: a strong ETag, else the date of the last change, else ''."""
    tag = headers.get('ETag', '')
    return headers.get('Last-Modified', '') if not tag or tag.startswith('W/') else tag


def _range(headers):
    """(first byte, bytes of the whole file) of a Content-Range header; None where it is silent."""
    found = re.match(r'bytes (?:(\d+)-\d+|\*)/(\d+|\*)$', headers.get('Content-Range', ''))
    if not found:
        return None, None
    return tuple(int(number) if number and number != '*' else None for number in found.groups())


def _is_page(response, start):
    return webpage.is_page(response.headers.get('Content-Type', ''), start)


def _refuse_status(response, chunks):
    """Raise for every status but those that bring the file or answer a Range."""
    status = response.status_code
    if status in (200, 206, 416):
        return
    answer = ('%d %s' % (status, response.reason or '')).strip()
    page = b''.join(itertools.islice(chunks, _PAGE))
    if _is_page(response, page):
        answer += f" ('{webpage.says(page)}')"
    raise (_Dropped if status in _TRY_AGAIN or status >= 500 else _Refused)(answer)


def _ask(session, url, headers, confirmed=False):
    """(response, its body in chunks); a page that asks for a confirmation is answered once."""
    response = session.get(url, headers=headers, stream=True, timeout=_TIMEOUT)
    chunks = response.iter_content(_CHUNK)
    _refuse_status(response, chunks)
    first = next(chunks, b'')
    chunks = itertools.chain([first], chunks)
    if response.status_code == 416 or not _is_page(
            response, first if response.status_code == 200 else b''):
        return response, chunks
    page = b''.join(itertools.islice(chunks, _PAGE))
    response.close()
    behind = webpage.confirmation(page, response.url)
    if behind and not confirmed:
        return _ask(session, behind, headers, confirmed=True)
    raise _Refused("a web page ('%s') came in place of the file: its quota is used up or the link "
                   'is dead' % webpage.says(page))


def _refuse_full_disk(folder, needed):
    free = shutil.disk_usage(str(folder)).free
    if needed > free:
        raise UserError('%d MB are still to come and only %d MB are free in %s; make room, or '
                        'choose another folder' % (needed >> 20, free >> 20, folder))


def _write(part, chunks, start, total):
    with progress.bar(what=part.path.name[:-len('.part')], unit='B', unit_scale=True, total=total,
                      initial=start) as shown, open(str(part.path), 'ab') as out:
        for chunk in chunks:
            out.write(chunk)
            shown.update(len(chunk))
        out.flush()
        os.fsync(out.fileno())
    if total not in (None, part.length()):
        raise _Dropped('the connection ended after %d of %d bytes' % (part.length(), total))


def _receive(session, url, part, size):
    """Ask once for what is missing and append it. Returns whether an earlier part was used."""
    version = part.version(url)
    start = part.length() if version is not None else 0
    headers = dict(_AS_STORED)
    if start:
        headers['Range'] = 'bytes=%d-' % start
        headers.update({'If-Range': version} if version else {})
    response, chunks = _ask(session, url, headers)
    with contextlib.closing(response):
        first, total = _range(response.headers)
        if response.status_code == 200:
            start, total = 0, response.headers.get('Content-Length')
            total = int(total) if total else None
        elif not start:
            raise _Refused('%d, to a question without a range' % response.status_code)
        elif response.status_code == 416 and start == (total or size):
            return True
        elif first != start or _version(response.headers) not in ('', version):
            part.drop()  # it is too long, or the start of another version
            return _receive(session, url, part, size)
        if None not in (size, total) and size != total:
            raise _Refused('offers %d bytes, not %d' % (total, size))
        if not start:
            part.start(url, _version(response.headers))
        _refuse_full_disk(part.path.parent, (total or size or start) - start)
        _write(part, chunks, start, total)
    return start > 0


def _complete(session, url, part, size, retries, pause):
    """Ask until all has come. Returns whether it was put together from several answers."""
    failures, longest, joined = 0, 0, False
    while True:
        try:
            with _network_errors():
                return _receive(session, url, part, size) or joined
        except _Dropped as error:
            failures = 1 if part.length() > longest else failures + 1
            longest, joined = max(longest, part.length()), True
            if failures > retries:
                raise _Refused(str(error))
            time.sleep(pause * 2 ** (failures - 1))


def _from(url, part, expected, retries, pause):
    """Bring the file at `url` into its part -> its sha256, verified. Raises _Refused."""
    with requests.Session() as session:
        for last in (False, True):
            joined = _complete(session, url, part, expected.size, retries, pause)
            try:
                return expected.verify(part.path)
            except UserError as error:
                part.drop()
                if last or not joined:  # else its pieces may not fit together: once more
                    raise _Refused(f'{error}; nothing of it is kept')


@contextlib.contextmanager
def _disk_errors(path):
    try:
        yield
    except OSError as error:
        raise UserError(f'{path} cannot be written ({error}); make room, or choose another folder')


def fetch(urls, path, *, size=None, sha256=None, check=None, retries=4, pause=1.0):
    """Download a file from the first of `urls` that gives it; False if it was there already.

    size, sha256, check: see `verify.Expected`; all that is known is compared before the file takes
    its name. retries: how often to ask an address again while nothing more comes; pause: seconds
    before the first time, doubled before each further one.
    Raises Unavailable if no address gave it; UserError if another file is in its place, or the disk
    is full. What has come stays for the next call, unless it was wrong.
    """
    path = pathlib.Path(path)
    expected, part, answers = Expected(path, size=size, sha256=sha256, check=check), Part(path), []
    if expected.is_there():
        return False
    if not urls:
        raise Unavailable(f'{path} has no address to be downloaded from')
    with _disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for url in urls:
            try:
                digest = _from(url, part, expected, retries, pause)
            except _Refused as error:
                answers.append(f'{url}: {error}')
                continue
            os.replace(str(part.path), str(path))
            part.drop()
            expected.remember(digest)
            return True
    raise Unavailable('%s could not be downloaded (%s); try again later, or get it by hand'
                      % (path, '; '.join(answers)))


def from_file(source, path, *, size=None, sha256=None, check=None):
    """Copy a file that is on this machine, verified as by `fetch`; False if it was there already.

    Raises UserError if it is missing or not the one meant, or another file is in its place.
    """
    expected = Expected(path, size=size, sha256=sha256, check=check)
    if expected.is_there():
        return False
    source = files.existing(source, 'the file')
    with _disk_errors(path), files.replacing(path) as temporary:
        digest = expected.verify(source)
        shutil.copyfile(str(source), str(temporary))
    expected.remember(digest)
    return True
