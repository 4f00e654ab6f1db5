"""What is documented: the sections of the specification, one module a topic.

The folders hold what the sections stand on: `language` (how a clause is said), `cases`
(what it is tried on), `model` (what the answer has to be, computed without a backend) and
`documents` (the statements that the clauses answer to). Nothing here imports torch.
"""
