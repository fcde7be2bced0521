"""A checked data set, normalised and written as records, once."""
