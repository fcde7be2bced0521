"""Where Keras meets TensorFlow, JAX and torch, one device or several."""
