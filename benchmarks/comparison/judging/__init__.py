"""What scores of patients allow to conclude: estimates, contrasts, ranks, tables."""
