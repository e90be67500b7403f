"""A training on a rented GPU: pack what it needs into a folder, run the stages there within minutes, bring the results back."""
