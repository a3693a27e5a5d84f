"""A language model and an embedder on this machine, made fast: weights to matrices, tokens in, logits and text out.

Knows nothing of papers or questions. `engine.py` is the door for generating and reading, `encoder.py` for embedding.
"""

import os

# Large pages for what torch allocates, weights too: a matrix that is read from memory is read faster (one token 123 ms
# and 106, two cores of a Granite Rapids). Looked at by torch when it first allocates; Linux alone knows it.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
