"""Damaged and hostile inputs for every reader of files: each ends in a value or in one sentence."""
