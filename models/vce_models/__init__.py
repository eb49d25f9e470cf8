"""The Variational Convertor-Encoder: data, model, training, evaluation, conversion.

Nothing here prints or knows of a terminal. `networks`, `evaluation`, `training` and
`datasets.episodes` need PyTorch; nothing else does. `fonts` needs the extra `fonts`.
"""
