"""`latentbeta doctor`: the state of a project in words, and what to do about it."""
