"""Finite differences of any Python callable."""
