"""Is this derivative right, and how wrong is it?"""
