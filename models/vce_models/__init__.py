"""The Variational Convertor-Encoder: data, model, training, evaluation, conversion.

Nothing here prints or knows of a terminal. Modules that need PyTorch are
`networks`, `losses`, `training` and `evaluation`; the others run on NumPy alone.
"""
