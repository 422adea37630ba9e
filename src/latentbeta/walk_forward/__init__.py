"""Walk-forward estimation: folds, the store of finished ones, and the loop over them."""
