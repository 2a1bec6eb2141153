"""Taggers: classifiers of category and attributes, from pictures and from descriptions.

They say what a generated picture shows, which prompts the text model, and whether the text then
agrees with the picture.

Gives the commands and `rare`:

    agreement      ProductTagger: both taggers, and the comparison of a text with a picture
    image_tagger   ImageTagger: a convolutional network with calibrated probabilities
    text_tagger    TextTagger: phrases and softmax regression
    lookalikes     the same from nearest neighbours, where there is no tagger
    train          train.train: both taggers from a catalogue, with a report
    metrics        precision, recall, F1 of predictions; fidelity of generated pictures
    target         which products and pictures belong to a class that the user names

Read `labels` (heads, class indices), `metrics` and `config`, then `net`, `image_tagger` with
`calibration`, `text_tagger`, `agreement`, `train`. `pixels` measures colour and pattern for
catalogues without attributes.
"""
