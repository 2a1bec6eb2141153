"""Taggers: classifiers of category and attributes, from images and from descriptions.

Their predictions for a generated image prompt the text model, and show whether its text agrees with
the image.

    agreement      ProductTagger: both taggers, and the comparison of a text with an image
    image_tagger   ImageTagger: a convolutional network with calibrated probabilities
    text_tagger    TextTagger: phrases and softmax regression
    lookalikes     nearest-neighbour tags, for catalogues without a tagger
    train          train.train: both taggers from a catalogue, with a report
    metrics        precision, recall, F1 of predictions; fidelity of generated images
    target_class   the products and images of a class that the user names

Read `labels` (heads, class indices), `metrics` and `config`, then `net`, `image_tagger` with
`calibration`, `text_tagger`, `agreement`, `train`. `pixels` measures colour and pattern for
catalogues without attributes.
"""
