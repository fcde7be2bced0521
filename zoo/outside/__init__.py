"""What is known of an architecture from outside the zoo, a file or a package, and how it is run."""
