"""What is said on the page, and kept: turns, the settings of one conversation, the file of all, feedback."""
