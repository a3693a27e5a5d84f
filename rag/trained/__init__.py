"""What was trained for Footnote, its weights beside it, and what it says of a question and what was found for it.

`adapters.py` has the adapters that ship, the rest reads them: which papers a question is about, which sentences bear on
it, whether they answer it, whether a claim holds. How they were made and how well they do: docs/adapters.md.
"""
