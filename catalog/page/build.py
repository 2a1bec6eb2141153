"""The catalogue page: one HTML file that shows fake products, pictures, videos and texts.

It needs no network; pictures and videos lie beside it. The frame and the style are in page.html,
the sections here, products in `article`. Every value that enters markup is escaped on the way,
because texts come from a language model and from other people's catalogues. All of it can be read
without JavaScript; page.js, which is written into the page, lets products be found and looked at.
"""

import pathlib

from catalog.page import article, facets
from catalog.page.markup import Markup, fill, lines, link
from dnnlib import files

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
$before
<div class="$name">
$content
</div>
</section>'''

_DIALOG = '''\
<dialog id="closer" aria-labelledby="closer-title">
<div class="bar"><p role="status"></p>
<button type="button" class="previous" aria-label="Previous product">‹</button>
<button type="button" class="next" aria-label="Next product">›</button>
<button type="button" class="close" aria-label="Close">✕</button></div>
<div class="closer"><div class="left"></div>
<div class="right"><h2 id="closer-title"></h2><div class="rest"></div></div></div>
</dialog>'''


def _figure(kind, name, title, caption):
    piece = {'image': _IMAGE, 'video': _VIDEO}[kind]
    return fill(piece, file=link(name), title=title, caption=caption)


def _text(prompt, text):
    return fill(_TEXT, prompt=f'“{prompt}”' if prompt else 'Without a prompt',
                 words=article.words(text))


def _fact(label, value):
    return fill('<div><dt>$label</dt><dd>$value</dd></div>', label=label, value=value)


def _section(name, heading, pieces, before=Markup('')):
    return fill(_SECTION, name=name, heading=heading, before=before, content=lines(pieces))


def _own(ending):
    """A file of this module that goes into the page as it stands."""
    return pathlib.Path(__file__).with_name('page' + ending).read_text(encoding='utf-8')


def write(path, *, title, facts, figures, products, texts,
          command='python run.py cards --seed {} --count 1'):
    """Write the page, whole or not at all.

    title:    headline.
    facts:    (label, value) pairs of strings for the foot: networks, seeds, engine, command.
    figures:  (kind, file name, title, caption); kind is 'image' or 'video'.
    products: dicts with 'image' (file name), 'text', 'category', 'tags' (list of strings),
              'prompt' (may be empty), 'seed' and 'psi'; and, where they are known, 'attributes'
              and 'probabilities' (by head), 'agreement' (by head, True where the text says the
              same) and 'neighbours' (dicts with 'image' and 'distance', nearest first).
    texts:    (prompt, text) pairs; the prompt may be empty.
    command:  what makes one product again, with {} in place of its seed.
    File names are relative to the page's folder. A section without content is left out.
    """
    articles = [article.article(each, command.replace('{}', str(each['seed'])))
                for each in products]
    sections = [('products', 'Products', articles, facets.form(products) if products else ''),
                ('figures', 'Pictures', [_figure(*figure) for figure in figures]),
                ('texts', 'Descriptions', [_text(*text) for text in texts])]
    sections = [section for section in sections if section[2]]
    links = [fill('<li><a href="#$name">$heading</a></li>', name=name, heading=heading)
             for name, heading in [section[:2] for section in sections] + [('method', 'Method')]]
    files.write_text(path, fill(
        _own('.html'), title=title, links=lines(links), facts=lines(_fact(*one) for one in facts),
        sections=lines(_section(*section) for section in sections),
        dialog=Markup(_DIALOG if products else ''), script=Markup(_own('.js'))))
