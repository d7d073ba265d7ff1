"""How a program is run: floats, balls, jets. python-flint is imported only here."""
