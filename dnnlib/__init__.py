"""The foundation that every other package stands on: files, options, runs, TensorFlow; no model.

It gives them files that are whole or absent and are read within bounds (`files`, `archive`,
`images`, `video`), options that are defined once (`knobs`), run folders that survive kills, full
disks and damage (`runs`, `lock`), and the border to TensorFlow 1.15 and 2.x (`tflib`).

Reading order: files, archive, knobs, lock, tflib, accumulation, runs, rollback; then, as needed,
images, video, chart, board, progress and fetch/.
"""
