"""One against the other: the certified reference, the table of errors, and its summary."""
