"""Drawing: a garment becomes a photo of it, with numpy and Pillow alone.

Only `shots.picture` is used outside. Read bottom up: `canvas` (shapes to pixels), `panels` (strips
of cloth), `cuts` (strips to garments), `prints` (patterns of the cloth), `garments` (a garment on a
canvas), `shots` (the photo, good or bad, and its background).
"""
