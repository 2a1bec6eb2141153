"""Drawing: a garment becomes a photo of it, with numpy and Pillow alone.

`shots.picture` is all that the others use. Read from the line up: `canvas` (shapes on pixels),
`panels` (strips of cloth), `cuts` (strips to garments), `prints` (what is on the cloth),
`garments` (a garment on a canvas), `shots` (the photo, good or bad, and what is behind it).
"""
