"""What is differentiated: formulas, SymPy expressions and their derivatives. SymPy is imported only here."""
