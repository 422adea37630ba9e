"""The immutable panel of characteristics and returns, and how it is built."""
