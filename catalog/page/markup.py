"""HTML from pieces: every value that enters markup is escaped, unless it is markup already."""

import html
import string
import urllib.parse


class Markup(str):
    """Text that is HTML already; everything else is plain text."""


def fill(piece, **values):
    """Put values into a piece of markup, escaping all that are not markup themselves."""
    safe = {name: value if isinstance(value, Markup) else html.escape(str(value))
            for name, value in values.items()}
    return Markup(string.Template(piece).substitute(safe))


def lines(pieces):
    """Pieces of markup, one below the other."""
    return Markup('\n'.join(pieces))


def link(name):
    """A file name beside the page as a relative URL: `100%.png` must not become an escape."""
    assert not name.startswith('/') and '..' not in name.split('/'), name
    return urllib.parse.quote(name)


def listed(items, kind=''):
    """Items as a list of the class `kind`; nothing at all without items."""
    if not items:
        return Markup('')
    opening = fill('<ul class="$kind">', kind=kind) if kind else '<ul>'
    return Markup(opening + ''.join(fill('<li>$item</li>', item=item) for item in items) + '</ul>')
