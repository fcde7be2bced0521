"""Who trains and who is tested, and whether anybody is on both sides."""
