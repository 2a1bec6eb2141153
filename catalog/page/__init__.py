"""The page that shows generated products, images and texts, for a browser without a network.

`build.write` writes it. template.html is the markup, page.css the style, and page.js filters the
products and shows one closely.
"""
