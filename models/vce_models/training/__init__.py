"""Algorithms 1 and 2 of Li et al. 2020, and all that a long run needs."""
