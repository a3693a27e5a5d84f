"""`python -m eval bench …`: speed and memory, each in turn with a rival, and public sets beside published figures."""
