"""Hostile and unlucky inputs for every command: what is refused in one line, what runs, and what goes wrong.

``python -m benchmarks.hostile`` makes small data, tries every case in a process of its own and prints a table.
``case`` says what a case is, ``run`` tries and judges one, ``world`` makes the data, and the other modules hold the
cases, a kind of trouble each.
"""
