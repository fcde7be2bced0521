"""A preset made out of runs, and the card that goes with it."""
