"""GPT-2 on product descriptions: tokens, transformer, training, sampling, model files.

The package knows no catalogue: a product is any record with description, tags, category and key.

Gives the commands:

    config      every knob, and the presets; needs no TensorFlow
    train       train.train: fine-tune a model, or train one from scratch
    write       write.Writer: load a model, sample texts
    snapshots   read and check a model in any layout, write ours
    formats     export a model for other programs
    encoder     the vocabulary: text to tokens and back
    data        documents of a file of encoded texts

Read `config`, `encoder` and `data` for what goes in, `model` for what is computed, `train` for how
it is trained, `packed`, `cache`, `sampler` and `write` for how it writes. `encoded` is a file
format, and `overlap` measures memorisation.
"""
