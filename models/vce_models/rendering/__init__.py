"""What renders a conversion without PyTorch: the networks in NumPy, and the pen."""
