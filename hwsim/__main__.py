"""``python -m hwsim`` is the ``hwsim`` command."""

import sys

from hwsim.cli import main

sys.exit(main())
