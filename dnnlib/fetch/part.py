"""An unfinished download: the bytes in `NAME.part`, and in `NAME.part.json` what they are part of.

They are worth keeping only for the same address and the same version of the file behind it.
"""

from dnnlib import files


class Part:
    """The part of the file for `path` that has come so far; its own path is `self.path`."""

    def __init__(self, path):
        self.path = path.with_name(path.name + '.part')
        self._about = path.with_name(path.name + '.part.json')

    def length(self):
        """How many bytes have come."""
        return self.path.stat().st_size if self.path.exists() else 0

    def version(self, url):
        """The version of the file at `url` that this is the start of; None if it is not."""
        if not self.length() or not self._about.exists():
            return None
        about = files.read_json(self._about)
        return about['version'] if about['url'] == url else None

    def start(self, url, version):
        """Throw away what has come; from now on this is a part of `url`."""
        self.drop()
        files.write_json(self._about, {'url': url, 'version': version})

    def drop(self):
        """Throw away what has come."""
        for path in (self.path, self._about):
            if path.exists():
                path.unlink()
