"""The permutation null: the same walk-forward where there is nothing to forecast."""
