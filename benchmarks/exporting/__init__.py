"""A network in a file that runs without Keras, with all that its use on a scan needs."""
