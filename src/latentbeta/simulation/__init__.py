"""The embedded market: daily prices with known betas and factors."""
