"""From records to a verdict: scores, groups that may be ranked, contrasts, costs, claims."""
