"""The tables, and the files that hold them."""
