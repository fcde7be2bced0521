"""What a model costs: operations counted, time and memory measured."""
