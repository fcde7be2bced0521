"""Is a data set sound: every file read before anything trains, and what was found."""
