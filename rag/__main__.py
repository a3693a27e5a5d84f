"""`python -m rag` is the `footnote` command."""

import sys

from rag.cli import main

sys.exit(main())
