"""What carries out the runs of a sweep: this machine, Ray, Slurm."""
