"""The ground floor: errors, files and YAML, the one place every package may import from.

Nothing here knows networks, graphs, accelerators or torch.
"""
