"""The catalogue page: one HTML file that shows fake products, pictures, videos and texts.

It needs no network and no JavaScript; pictures and videos lie beside it. The frame and the style
are in page.html, the repeated pieces here. Every value that enters markup is escaped on the way,
because texts come from a language model and from other people's catalogues.
"""

import html
import itertools
import pathlib
import re
import string
import urllib.parse

from dnnlib import files

_PRODUCT = '''\
<article class="product">
<a class="picture" href="$image"><img src="$image" alt="$alt"></a>
<div class="about">
<h3>$category</h3>
$tags
<div class="words">
$words
</div>
<p class="origin">$origin</p>
</div>
</article>'''

_IMAGE = '''\
<figure>
<a href="$file"><img src="$file" alt="$title"></a>
<figcaption><strong>$title</strong> $caption</figcaption>
</figure>'''

_VIDEO = '''\
<figure>
<video src="$file" aria-label="$title" autoplay loop muted playsinline controls></video>
<figcaption><strong>$title</strong> $caption</figcaption>
</figure>'''

_TEXT = '''\
<article>
<h3>$prompt</h3>
<div class="words">
$words
</div>
</article>'''

_SECTION = '''\
<section id="$name">
<h2>$heading</h2>
<div class="$name">
$content
</div>
</section>'''

_BULLET = re.compile(r'\s*[-*•·–]\s+(?=\S)')


class _Markup(str):
    """Text that is HTML already; everything else is plain text."""


def _fill(piece, **values):
    """Put values into a piece of markup, escaping all that are not markup themselves."""
    safe = {name: value if isinstance(value, _Markup) else html.escape(str(value))
            for name, value in values.items()}
    return _Markup(string.Template(piece).substitute(safe))


def _lines(pieces):
    return _Markup('\n'.join(pieces))


def _link(name):
    """A file name beside the page as a relative URL: `100%.png` must not become an escape."""
    assert not name.startswith('/') and '..' not in name.split('/'), name
    return urllib.parse.quote(name)


def _list(items, kind=''):
    if not items:
        return _Markup('')
    opening = _fill('<ul class="$kind">', kind=kind) if kind else '<ul>'
    return _Markup(opening + ''.join(_fill('<li>$item</li>', item=item) for item in items)
                   + '</ul>')


def _words(text):
    """A description as paragraphs, with its runs of bullet lines as lists."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    pieces = []
    for bullets, run in itertools.groupby(lines, key=lambda line: bool(_BULLET.match(line))):
        if bullets:
            pieces.append(_list([_BULLET.sub('', line, count=1) for line in run]))
        else:
            pieces.append(_fill('<p>$lines</p>', lines='\n'.join(run)))
    return _lines(pieces)


def _product(product):
    category = product['category'] or 'Product'
    origin = 'seed %s · ψ %g' % (product['seed'], product['psi'])
    if product['prompt']:
        origin += ' · prompt “%s”' % product['prompt']
    return _fill(_PRODUCT, image=_link(product['image']), category=category,
                 alt='Synthetic picture: ' + ', '.join([category] + list(product['tags'])),
                 tags=_list(product['tags'], kind='tags'), words=_words(product['text']),
                 origin=origin)


def _figure(kind, name, title, caption):
    piece = {'image': _IMAGE, 'video': _VIDEO}[kind]
    return _fill(piece, file=_link(name), title=title, caption=caption)


def _text(prompt, text):
    return _fill(_TEXT, prompt='“%s”' % prompt if prompt else 'Without a prompt',
                 words=_words(text))


def _fact(label, value):
    return _fill('<div><dt>$label</dt><dd>$value</dd></div>', label=label, value=value)


def write(path, *, title, facts, figures, products, texts):
    """Write the page, whole or not at all.

    title:    headline.
    facts:    (label, value) pairs of strings for the foot: networks, seeds, engine, command.
    figures:  (kind, file name, title, caption); kind is 'image' or 'video'.
    products: dicts with 'image' (file name), 'text', 'category', 'tags' (list of strings),
              'prompt' (may be empty), 'seed' and 'psi'.
    texts:    (prompt, text) pairs; the prompt may be empty.
    File names are relative to the page's folder. A section without content is left out.
    """
    sections = [('products', 'Products', [_product(product) for product in products]),
                ('figures', 'Pictures', [_figure(*figure) for figure in figures]),
                ('texts', 'Descriptions', [_text(*text) for text in texts])]
    sections = [section for section in sections if section[2]]
    links = [_fill('<li><a href="#$name">$heading</a></li>', name=name, heading=heading)
             for name, heading, _ in sections + [('method', 'Method', None)]]
    frame = pathlib.Path(__file__).with_name('page.html').read_text(encoding='utf-8')
    files.write_text(path, _fill(
        frame, title=title, links=_lines(links), facts=_lines(_fact(*fact) for fact in facts),
        sections=_lines(_fill(_SECTION, name=name, heading=heading, content=_lines(pieces))
                        for name, heading, pieces in sections)))
