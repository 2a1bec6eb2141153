"""Rare classes: make many pictures of one, and find out whether they help a classifier.

Read config, target (which class, and how surely a picture is of it), region (where it lies in W:
search, then rejection sampling), report (what each method costs and gives); then contest (the
experiment) and verdict (its figures and their significance). Delete the folder, and `rare` and
`evaluate` fail, and the choice of products by `project`; nothing else does.
"""
