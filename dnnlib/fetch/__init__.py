"""Downloads: released weights and public data, each file verified before it takes its name.

`manifest.get` brings everything that one name in downloads.json stands for. Reading order: manifest
(what there is), download (one file: resumed, bounded, verified), webpage (when a page comes in its
place), unpack (archives from strangers).
"""
