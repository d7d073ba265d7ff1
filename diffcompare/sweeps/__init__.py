"""The error against the step size."""
