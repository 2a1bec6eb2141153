"""Pruning: which photos of a catalogue are fit to train on, and what a person says to that.

`rules.prune` judges a catalogue, `decisions` is the format of its result, by which `catalog.source`
leaves out what was dropped. Read `rules`, `measure` (the scores of one photo), `scores` (of all,
remembered), `twins` (duplicates), `decisions`, `sheets` (contact sheets).
"""
