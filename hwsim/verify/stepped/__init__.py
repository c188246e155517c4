"""Arrays and the vector unit stepped cycle by cycle, register by register.

They compute real products with the PEs of each kind, so that a cycle too few anywhere shows as a
wrong or missing integer; and they count the cycles they need. `accelerators.datapaths` states the
same counts in closed form, and the tests want both to be equal. Nothing else uses them: they are
far too slow for a layer.
"""

from hwsim.verify.stepped.arrays import Product as Product
from hwsim.verify.stepped.arrays import Stepped as Stepped
from hwsim.verify.stepped.arrays import run_stepped as run_stepped
from hwsim.verify.stepped.vector_unit import stepped_addition as stepped_addition
