"""What the faults that lose packets share: which links are lost, and the tables that lose them."""
