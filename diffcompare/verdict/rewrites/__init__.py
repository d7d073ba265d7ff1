"""Small changes of the source of a wrong gradient, tried by running it again."""
