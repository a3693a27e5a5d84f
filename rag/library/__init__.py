"""Data files only; see the files beside this one."""
