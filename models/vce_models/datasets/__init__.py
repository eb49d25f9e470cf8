"""Characters, each drawn by several people, to train on."""
