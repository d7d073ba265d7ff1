"""From NumPy code to a program."""
