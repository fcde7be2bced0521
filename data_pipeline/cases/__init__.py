"""What one examined scan is, on disk and in memory."""
