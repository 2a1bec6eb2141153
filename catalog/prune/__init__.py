"""Pruning: which photos of a catalogue are good enough to train on; a person has the last word.

`rules.prune` judges a catalogue; `catalog.source.read_kept` reads what it kept, by way of
`decisions`, the format of the result. Read `rules`, `measure` (the scores of one photo), `scores`
(of all, cached), `decisions`, `sheets` (contact sheets).
"""
