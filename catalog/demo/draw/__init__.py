"""Drawing: a garment becomes a photo of it, with numpy and Pillow alone.

`shots.picture` is all that the others use. Read from the line up: `canvas` (shapes on pixels),
`panels` and `limbs` (pieces of cloth), `cuts` (pieces to garments), `prints` and `trimmings` (what
is on the cloth), `garments` (a garment on a canvas), `scenes` (what is behind it), `shots` (the
photo, good or bad).
"""
