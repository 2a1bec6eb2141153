"""The benchmark: how fast the program is, beside what the machine could do at best.

`rows` lists what is measured. Read `row` (what a row is), `pictures` and `texts` (the rows),
`machine` (processor, matrix rate, memory rate), `floor` (the work that a graph cannot do without),
`worker` (a row in a process of its own), `alternate` (A B A B, medians, ratios, results), `plot`
(how cost grows).
"""
