"""The smallest change of a wrong gradient's code that would make it right."""
