"""Many runs: models x seeds x folds, here or on a cluster, each in a process of its own."""
