"""The two networks of Li et al. 2020 in PyTorch, and their losses."""
