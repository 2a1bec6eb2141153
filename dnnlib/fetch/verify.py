"""Whether a file is the one that was meant: no web page, its size, its sha256, its structure.

Where nobody has published a sha256, the first one seen is written to `sha256.json` beside the file,
and every later copy is compared with it: trust on first use.
"""

import hashlib
import pathlib

from dnnlib import files
from dnnlib.fetch import webpage
from dnnlib.files import UserError

RECORD = 'sha256.json'
_PAGE = 1 << 16  # bytes that are looked at for a web page


def sha256(path):
    """The SHA-256 of a file's bytes as 64 lower-case hex digits."""
    digest = hashlib.sha256()
    with open(str(path), 'rb') as data:
        for block in iter(lambda: data.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()


class Expected:
    """What is known of the file that belongs at `path`.

    size:   its bytes, or None.
    sha256: 64 hex digits, or None: then that of the first copy counts.
    check:  a function of a path that raises UserError if the file there is built wrongly, or None.
    """

    def __init__(self, path, *, size=None, sha256=None, check=None):
        self.path, self.size, self.sha256 = pathlib.Path(path), size, sha256
        self._check = check

    def _recorded(self):
        record = self.path.parent / RECORD
        return files.read_json(record) if record.exists() else {}

    def verify(self, found):
        """The sha256 of the file at the path `found`, if it is the one meant.

        Raises UserError, which says why, if it is not.
        """
        found = pathlib.Path(found)
        size = found.stat().st_size
        with open(str(found), 'rb') as data:
            start = data.read(_PAGE)
        if webpage.is_page('', start):
            raise UserError("%s is a web page ('%s') in place of the file: its quota was used up "
                            'or the link is dead' % (found, webpage.says(start)))
        if size == 0 or self.size not in (None, size):
            raise UserError('%s has %d bytes%s' % (
                found, size, '' if self.size is None else ', not %d' % self.size))
        digest = sha256(found)
        self._compare(found, digest)
        if self._check:
            self._check(found)
        return digest

    def _compare(self, found, digest):
        if self.sha256 not in (None, digest):
            raise UserError(f'{found} has the sha256 {digest}, not {self.sha256}')
        first = self._recorded().get(self.path.name, digest)
        if self.sha256 is None and first != digest:
            raise UserError('%s has the sha256 %s, but the first copy had %s; if another one is '
                            'right now, delete that line in %s' % (
                                found, digest, first, self.path.parent / RECORD))

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
            files.write_json(self.path.parent / RECORD, dict(recorded, **{self.path.name: digest}))
