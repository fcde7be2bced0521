"""What people see on a terminal, and in plain lines elsewhere."""
