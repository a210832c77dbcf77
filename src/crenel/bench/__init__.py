"""Measures Crenel against installed peers: synthetic captures from a seed in, ratios out."""
