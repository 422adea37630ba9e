"""Ensembles of conditional autoencoders, trained together as one stacked Keras model."""
