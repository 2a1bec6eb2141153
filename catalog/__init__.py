"""Catalogues: any catalogue in, a list of products out; a demo, pruning, and the page of results.

For the other rooms: `source.read` and `source.read_kept` give the Products of a catalogue, the
latter only what pruning kept; `demo` draws the demo; `prune` finds the photos that are fit to train
on; `page` shows what was generated.
Read `source`, then `tables`, the formats below it; then the three folders, each by itself.
"""
