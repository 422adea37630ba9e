"""Where data come from beyond files: vendors on the network, and databases."""
