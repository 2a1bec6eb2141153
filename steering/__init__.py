"""Steering: directions in W, edits along them, and walks, of a generator whose images a tagger
classifies.

`discover` finds directions, `entangle` measures what else each one changes, `directions` is the
file of them. `edit` searches for the smallest change that shows a wanted value, `edit_check`
measures how often it does. `hand_labels` is the page to label images by hand, `walks` makes
films. The linear algebra is in `stylegan.linear`. Only its own commands depend on this folder.

A tagger is an object like `image_tagger.ImageTagger`: it has `heads`, {head: (value, ...)}, and
`probabilities`, uint8 [n, h, w, 3] -> {head: float32 [n, values]}.
"""
