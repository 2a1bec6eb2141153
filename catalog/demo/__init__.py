"""The demo catalogue: procedurally drawn garments with descriptions, from a seed.

It needs no download, and its ground truth is known, so pruning, taggers and text models can be
tested against it. `build` writes it; read `attributes` (the garments), `words` and `phrases` (their
descriptions, and checks of generated ones), `draw` (their images), `build`.
"""
