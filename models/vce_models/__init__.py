"""The Variational Convertor-Encoder: data, model, training, evaluation, conversion.

Nothing here prints or knows of a terminal. `networks`, `evaluation`, `training` and
`datasets.episodes` need PyTorch; everything else runs on NumPy alone.
"""
