"""The one program: operations, their graph, its adjoint, and code generated from it."""
