"""Ordinary NumPy code, run once on numbers that write down what is done to them."""
