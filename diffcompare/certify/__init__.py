"""The reference: derivatives of programs, certified."""
