"""Rare classes: generate many images of one, and measure whether they help a classifier.

Read config, region (where the class lies in W: search, then rejection sampling;
`tagger.target_class` scores images for the class) and report (yield and cost of each sampling
method); then experiment (training classifiers with and without synthetic images) and analysis
(their scores and the significance of differences). Without this folder only `rare` and `evaluate`
fail.
"""
