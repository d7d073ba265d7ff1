"""The measured rounding errors of NumPy's and SciPy's functions."""
