"""Catalogues: read any into a list of products, draw the demo, prune photos, show the results.

For the other packages: `source.read` gives the Products of a catalogue, `source.read_kept` those
that pruning kept; `demo` draws the demo catalogue; `prune` selects photos to train on; `page` shows
generated products. Read `source`, then `tables`, the formats below it; then the three folders, each
by itself.
"""
