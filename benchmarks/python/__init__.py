"""What a script or a notebook calls: arrays and data frames in place of folders and tables."""
