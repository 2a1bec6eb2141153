"""A web page that came where a file was expected: what it says, and the way past Google Drive's.

Drive asks for a confirmation before it sends a file that is too large for its virus scan. The page
holds a form (or, in older years, a link) that leads to the file itself.
"""

import html
import html.parser
import re
import urllib.parse

_TYPES = ('text/html', 'application/xhtml+xml', 'text/xml', 'application/xml')
_TELLING = re.compile(r'<(title|code|message)\b[^>]*>(.*?)</\1>', re.IGNORECASE | re.DOTALL)


def is_page(content_type, start):
    """Whether a body is HTML or XML.

    content_type: the header as sent, '' if there was none. start: its first bytes, b'' to go by
    the header alone.
    """
    declared = content_type.split(';')[0].strip().lower()
    return declared in _TYPES or start.lstrip(b'\xef\xbb\xbf \t\r\n').startswith(b'<')


def says(page):
    """The title or error code of a page (bytes), else its words; at most 80 characters."""
    text = page.decode('utf-8', 'replace')
    telling = _TELLING.search(text)
    words = telling.group(2) if telling else re.sub(r'<[^>]*>', ' ', text)
    return ' '.join(html.unescape(words).split())[:80]


class _Confirmation(html.parser.HTMLParser):
    """Collects the addresses that a page's forms and links lead to."""

    def __init__(self):
        super().__init__()
        self.addresses = []  # of [address, fields to add to its query]

    def handle_starttag(self, tag, attrs):
        """Called by the parser for each opening tag."""
        attrs = {name: value or '' for name, value in attrs}
        if tag == 'form':
            self.addresses.append([attrs.get('action', ''), []])
        elif tag == 'a':
            self.addresses.append([attrs.get('href', ''), []])
        elif tag == 'input' and attrs.get('name') and self.addresses:
            self.addresses[-1][1].append((attrs['name'], attrs.get('value', '')))


def _confirmed(url, address, fields):
    """Where a form at `url` leads if it confirms something, else None."""
    try:
        parts = urllib.parse.urlsplit(urllib.parse.urljoin(url, address))
    except ValueError:  # no address at all
        return None
    query = urllib.parse.parse_qsl(parts.query) + fields
    if parts.scheme not in ('http', 'https') or 'confirm' not in dict(query):
        return None
    return parts._replace(query=urllib.parse.urlencode(query)).geturl()


def confirmation(page, url):
    """The address behind the confirmation page `page` (bytes) that came from `url`, or None."""
    parser = _Confirmation()
    parser.feed(page.decode('utf-8', 'replace'))
    found = [_confirmed(url, address, fields) for address, fields in parser.addresses]
    return next(filter(None, found), None)
