"""Measures Footnote: answers, citations, retrieval, speed. Run `python -m eval`; nothing here is called `evaluate`.

Uses only `rag`'s public names, so that what is measured is what people get.
"""
