"""The page of generated products, images and texts; it works in a browser without a network.

`build.write` writes it. template.html is the markup, page.css the style; page.js filters products
and enlarges them.
"""
