"""ProbeSweep: many readers of one frozen trunk, each with its own rates.

- ``grid.py``: learning rates times weight decays, and their names
- ``recognizer.py``: the recognizer that trains all of them at once
- ``config.py``: from a config to its sweep, and to the run of its winner
"""
