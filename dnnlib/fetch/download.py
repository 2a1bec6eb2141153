"""Download one file: resumed where it stopped, bounded, and verified before it takes its name.

What has come of `NAME` lies in `NAME.part`, and in `NAME.part.json` stands of which address and
which version of the file it is a part. Where nobody has published a SHA-256, that of the first copy
is written to `sha256.json` beside it and every later copy is compared with it: trust on first use.
"""

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

_CHUNK = 1 << 16
_PAGE = 64  # chunks of a web page that are looked at
_TIMEOUT = (20, 60)  # seconds to connect, and of silence
_TRY_AGAIN = (408, 429)  # and every 5xx


class Unavailable(UserError):
    """No address gave the file; the message says what each one answered."""


class _Refused(Exception):
    """This address does not give the file, and asking again would not help."""


class _Dropped(Exception):
    """The connection broke, or the server is busy: what has come is kept, ask again."""


class Expected:
    """What is known of the file that belongs at `path`.

    size:   its bytes, or None.
    sha256: 64 hex digits, or None: then that of the first copy counts.
    check:  a function of a path that raises UserError if the file there is built wrongly, or None.
    """

    def __init__(self, path, *, size=None, sha256=None, check=None):
        self.path, self.size, self.sha256 = pathlib.Path(path), size, sha256
        self._check, self._record = check, self.path.with_name('sha256.json')

    def _recorded(self):
        return files.read_json(self._record) if self._record.exists() else {}

    def verify(self, found):
        """The sha256 of the file at the path `found`. Raises UserError if it is not the one meant.

        A web page is never right, nor is an empty file; the structure is checked last.
        """
        with open(str(found), 'rb') as stream:
            start, size = stream.read(_CHUNK), os.fstat(stream.fileno()).st_size
        if webpage.is_page('', start):
            said = webpage.says(start)
            raise UserError(f"{found} is a web page ('{said}') in place of the file: "
                            'its quota was used up or the link is dead')
        if size == 0 or self.size not in (None, size):
            expected = '' if self.size is None else f', not {self.size}'
            raise UserError(f'{found} has {size} bytes{expected}')
        digest = files.sha256(found)
        if self.sha256 not in (None, digest):
            raise UserError(f'{found} has the sha256 {digest}, not {self.sha256}')
        first = self._recorded().get(self.path.name, digest)
        if self.sha256 is None and first != digest:
            raise UserError(f'{found} has the sha256 {digest}, but the first copy had {first}; if '
                            f'another one is right now, delete that line in {self._record}')
        if self._check:
            self._check(found)
        return digest

    def is_there(self):
        """Whether the file is in its place already. Raises UserError if another one is."""
        if not self.path.exists():
            return False
        try:
            self.remember(self.verify(self.path))
        except UserError as error:
            raise UserError(f'{error}; delete it to get it again')
        return True

    def remember(self, digest):
        """Record the sha256 of the file that took its place, where none was published."""
        recorded = self._recorded()
        if self.sha256 is None and self.path.name not in recorded:
            files.write_json(self._record, dict(recorded, **{self.path.name: digest}))


class _Part:
    """What has come of the file for `path`. It is worth keeping only for the same version of it."""

    def __init__(self, path):
        self.path = path.with_name(path.name + '.part')
        self._about = path.with_name(path.name + '.part.json')

    def length(self):
        return self.path.stat().st_size if self.path.exists() else 0

    def version(self, url):
        """The version of the file at `url` that this is the start of; None if it is not."""
        try:
            about = files.read_json(self._about)
        except UserError:  # missing or damaged: what has come is unknown
            return None
        known = about.get('url') == url and isinstance(about.get('version'), str)
        return about['version'] if known and self.length() else None

    def start(self, url, version):
        """Throw away what has come; from now on this is a part of `url`."""
        self.drop()
        files.write_json(self._about, {'url': url, 'version': version})

    def drop(self):
        """Throw away what has come."""
        for path in (self.path, self._about):
            if path.exists():
                path.unlink()


# --- One answer of a server.

def _reason(error):
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
            requests.exceptions.MissingSchema, requests.exceptions.InvalidHeader) as error:
        raise _Refused(_reason(error))
    except requests.RequestException as error:
        raise _Dropped(f'no connection ({_reason(error)})')


def _version(headers):
    """What If-Range may name: a strong ETag, else the date of the last change, else ''."""
    tag = headers.get('ETag', '')
    return headers.get('Last-Modified', '') if not tag or tag.startswith('W/') else tag


def _length(headers):
    """The Content-Length, or None if there is none."""
    text = headers.get('Content-Length', '').strip()
    if text and not re.match(r'[0-9]{1,18}$', text):
        raise _Refused(f"the answer has the odd length '{text[:40]}'")
    return int(text) if text else None


def _range(headers):
    """(first byte, bytes of the whole file) of a Content-Range header; None where it is silent."""
    text = headers.get('Content-Range', '')
    found = re.match(r'bytes (?:([0-9]{1,18})-[0-9]{1,18}|\*)/([0-9]{1,18}|\*)$', text)
    first, total = found.groups() if found else (None, None)
    return int(first) if first else None, int(total) if total not in (None, '*') else None


def _ask(session, url, headers, confirmed=False):
    """(response, its body in chunks); a page that asks for a confirmation is answered once."""
    response = session.get(url, headers=headers, stream=True, timeout=_TIMEOUT)
    status, chunks = response.status_code, response.iter_content(_CHUNK)
    if response.headers.get('Content-Encoding', 'identity').lower() not in ('', 'identity'):
        chunks = iter(())  # it might be any size when unpacked
        if status in (200, 206):
            raise _Refused('the answer is compressed, though none was asked for')
    first = next(chunks, b'')
    is_page = webpage.is_page(response.headers.get('Content-Type', ''),
                              b'' if status in (206, 416) else first)
    if status in (200, 206, 416) and (status == 416 or not is_page):
        return response, itertools.chain([first], chunks)
    page = first + b''.join(itertools.islice(chunks, _PAGE))
    response.close()
    if status not in (200, 206):
        answer = f'{status} {response.reason or ""}'.strip()
        answer += f" ('{webpage.says(page)}')" if is_page else ''
        raise (_Dropped if status in _TRY_AGAIN or status >= 500 else _Refused)(answer)
    behind = webpage.confirmation(page, response.url)
    if behind and not confirmed:
        return _ask(session, behind, headers, confirmed=True)
    raise _Refused(f"a web page ('{webpage.says(page)}') came in place of the file: its quota is "
                   'used up or the link is dead')


def _write(part, chunks, start, total, limit):
    """Append a body to the part, which is then to have `total` bytes, if that is known.

    limit: the most that it may have.
    """
    with progress.bar(what=part.path.name[:-len('.part')], unit='B', unit_scale=True, total=total,
                      initial=start) as bar, open(str(part.path), 'ab') as out:
        for chunk in chunks:
            if out.tell() + len(chunk) > limit:
                raise _Refused(f'sends more than {limit} bytes')
            out.write(chunk)
            bar.update(len(chunk))
        out.flush()
        os.fsync(out.fileno())
    if total not in (None, part.length()):
        raise _Dropped(f'the connection ended after {part.length()} of {total} bytes')


def _receive(session, url, part, size):
    """Ask once for what is missing and append it. Returns whether an earlier part was used."""
    version = part.version(url)
    start = part.length() if version is not None else 0
    headers = {'Accept-Encoding': 'identity'}
    if start:
        headers['Range'] = f'bytes={start}-'
        headers.update({'If-Range': version} if version else {})
    response, chunks = _ask(session, url, headers)
    with contextlib.closing(response):
        first, total = _range(response.headers)
        if response.status_code == 200:
            start, total = 0, _length(response.headers)
        elif not start:
            raise _Refused(f'{response.status_code}, to a question without a range')
        elif response.status_code == 416 and start == (total or size):
            return True
        elif first != start or _version(response.headers) not in ('', version):
            part.drop()  # it is too long, or the start of another version
            return _receive(session, url, part, size)
        if None not in (size, total) and size != total:
            raise _Refused(f'offers {total} bytes, not {size}')
        if not start:
            part.start(url, _version(response.headers))
        known = total if size is None else size
        files.need_space(part.path, (known or start) - start)
        most = files.free(part.path) // 2 + start  # of a file of unknown size
        _write(part, chunks, start, total, most if known is None else known)
    return start > 0


# --- All answers together.

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
        return None


def fetch(urls, path, *, size=None, sha256=None, check=None, retries=4, pause=1.0):
    """Download a file from the first of `urls` that gives it; False if it was there already.

    size, sha256, check: see `Expected`; all that is known is compared before the file takes its
    name. retries: how often to ask an address again while nothing more comes; pause: seconds before
    the first time, doubled before each further one.
    Raises Unavailable if no address gave it; UserError if another file is in its place, or the disk
    is full. What has come stays for the next call, unless it was wrong.
    """
    path = pathlib.Path(path)
    expected, part, answers = Expected(path, size=size, sha256=sha256, check=check), _Part(path), []
    if expected.is_there():
        return False
    if not urls:
        raise Unavailable(f'{path} has no address to be downloaded from')
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.disk_errors(path):
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
    raise Unavailable(f"{path} could not be downloaded ({'; '.join(answers)}); try again later, or "
                      'get it by hand')


def from_file(source, path, *, size=None, sha256=None, check=None):
    """Copy a file that is on this machine, verified as by `fetch`; False if it was there already.

    Raises UserError if it is missing or not the one meant, or another file is in its place.
    """
    expected = Expected(path, size=size, sha256=sha256, check=check)
    if expected.is_there():
        return False
    source = files.existing(source, 'the file')
    digest = expected.verify(source)
    with files.replacing(path) as unfinished:
        shutil.copyfile(str(source), str(unfinished))
    expected.remember(digest)
    return True
