"""Worked co-design studies: each a question, a script, and its answer in docs/results."""
