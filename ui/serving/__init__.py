"""The page on a socket: who may come in, who is answered next, what is sent before any script has run."""
