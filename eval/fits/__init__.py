"""How the trained parts were made: what each learnt from, and the fits. Nothing that answers needs these."""
