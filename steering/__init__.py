"""Steering: directions in W, edits along them, and walks.

A tagger classifies the generated images. It is an object like `image_tagger.ImageTagger`: it has
`heads`, {head: (value, ...)}, and `probabilities`, uint8 [n, h, w, 3] -> {head: float32 [n,
values]}.

`discover` finds directions, `entangle` measures what else each one changes, `directions` stores
them. `edit` searches for the smallest change to a target value, `edit_check` measures its success
rate. `hand_labels` is the page on which a person labels images, `walks` makes videos. The linear
algebra is in `stylegan.linear`. Without this folder only its own commands fail.
"""
