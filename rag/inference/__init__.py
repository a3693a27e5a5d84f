"""A language model and an embedder on this machine, made fast: weights to matrices, tokens in, logits and text out.

Knows nothing of papers or questions. `engine.py` is the door for generating and reading, `encoder.py` for embedding.
"""
