"""Characteristics of assets computed from daily prices, ranked per date."""
