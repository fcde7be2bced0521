"""What the records hold: scores, costs, claims, and which runs may be ranked."""
