"""The Monte Carlo study of Gu, Kelly and Xiu (2021), section 4: the one table anyone can check."""
