"""One module for each command, imported when it is used: these may import heavy packages."""
