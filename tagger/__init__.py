"""Taggers: classifiers of category and attributes, from images and from descriptions.

They say what a generated image shows, which prompts the text model, and whether the text then
agrees with the image.

Gives the commands and `rare`:

    agreement      ProductTagger: both taggers, and the comparison of a text with an image
    image_tagger   ImageTagger: a convolutional network with calibrated probabilities
    text_tagger    TextTagger: phrases and softmax regression
    lookalikes     the same from nearest neighbours, where there is no tagger
    train          train.train: both taggers from a catalogue, with a report
    metrics        precision, recall, F1 of predictions; fidelity of generated images
    target         which products and images belong to a class that the user names

Read `labels` (heads, class indices), `metrics` and `config`, then `net`, `image_tagger` with
`calibration`, `text_tagger`, `agreement`, `train`. `pixels` measures colour and pattern for
catalogues without attributes.
"""
