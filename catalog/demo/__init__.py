"""The demo catalogue: garments drawn by program, with descriptions, from a seed.

It needs no download, and since everything about it is known, pruning, taggers and text models can
be tested against the truth. `build` writes it; read `attributes` (what garments there are), `words`
and `phrases` (their descriptions, and how to check generated ones), `draw` (their images),
`build`.
"""
