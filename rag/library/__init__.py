"""The library as readers see it: looked through, searched, mapped and changed.

    ledger    what was added, removed and undone, on disk; the reader's own file is never written to
    intake    files and pasted text before they are added: what would be new, what is wrong with the rest
    shelf     the file with the ledger applied, and the index of both: the only place where a library changes
    finding   papers by words or by meaning, with filters; a paper's neighbours
    atlas     the library as points on a plane, in named clusters
    opened    Library: all of it behind one object, `Rag.library`

Data files: the bundled library.
"""
