"""Drawings of the report, as SVG, text and Matplotlib's figures."""
