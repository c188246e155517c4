"""Where calls are computed that do not depend on one another: more processes, or a cluster.

All are `concurrent.futures.Executor`s that say in ``slots`` how many calls they run at a time.
"""

from hwsim.executors.cluster import Address, dask_cluster
from hwsim.executors.processes import WorkerProcesses
from hwsim.executors.slots import slots_of, usable_processors

__all__ = ["Address", "WorkerProcesses", "dask_cluster", "slots_of", "usable_processors"]
