"""Pruning: which photos of a catalogue are good enough to train on; a person can override it.

`rules.prune` decides about a catalogue; `catalog.source.read_kept` reads what was kept through
`decisions`, the format of the result. Read `rules`, `measure` (the scores of one photo), `scores`
(of all, cached), `decisions`, `sheets` (contact sheets).
"""
