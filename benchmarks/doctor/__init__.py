"""What is missing here, and which command mends it; asked without importing what may be broken."""
