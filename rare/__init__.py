"""Rare classes: make many images of one, and find out whether they help a classifier.

Read config, region (where the class lies in W: search, then rejection sampling; `tagger.target`
says which class, and how likely an image belongs to it), report (what each method costs and
gives); then contest (the experiment) and verdict (its figures and their significance). Delete the
folder, and only `rare` and `evaluate` fail.
"""
