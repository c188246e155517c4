"""Other people's inference engines as judges of our integers.

Each engine is an optional package (``pip install 'hwsim[verify]'``); none is imported before it is
asked. `hwsim.verify.oracles.suite` says which engine judges which requantization mode.
"""
