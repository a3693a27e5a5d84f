"""What stands on the page, as safe HTML: pure functions of answers, papers, conversations and runs."""
