"""Networks and what they cost as files for other tools: a module for each format.

`hwsim.export.formats` has the table; nothing heavy is imported before a format is written.
"""
