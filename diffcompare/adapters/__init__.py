"""Functions of other array libraries, handed in as they are; a library is loaded only where it is already in use."""
