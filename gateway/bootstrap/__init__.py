"""The only place that knows every adapter, and the only one that reads the clock, the environment and randomness.

`school` opens a directory; `acts` does what a person at the command line asks; `plane` makes a worker's data plane;
`office` is what the supervisor does. Leaves out: processes (`supervisor`, `worker`), words on a terminal (`cli`).
"""
