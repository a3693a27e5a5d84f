"""Judges of support, by name (`by_name.py`), what measures them, and the command that does it (`judging.py`)."""
