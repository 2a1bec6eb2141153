"""The explorer: a page on the user's own machine on which products are made, changed, described,
compared with a catalogue, and kept.

    server    the web server: addresses, checks of each request, events of long work
    worker    the one thread that computes: its queue, progress, cancelling
    studio    what a person can do, in terms of the other packages
    items     the products on the page: styles, origin and image, by a name made of their content
    library   the catalogue's products most like an image: exact cosine similarity
    tray      saves picked products as a catalogue and as one page

`static` holds the page's style and scripts, `templates` its markup. Read `studio` first.
"""
