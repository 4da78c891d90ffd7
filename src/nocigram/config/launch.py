"""Options about where independent jobs run."""

from dataclasses import dataclass

from nocigram.config.limits import out_of_range
from nocigram.core.errors import Fault
from nocigram.core.literals import LauncherType


@dataclass(frozen=True, kw_only=True)
class LaunchOptions:
    """Where independent jobs run, and what each of them may use."""

    launcher: LauncherType = "local"
    """'local': here; 'slurm': on a cluster, all at once as far as it has room."""
    jobs: int = 1
    """Jobs that run here at once; they share the cores."""
    partition: str | None = None
    """Partition of the cluster (default: the cluster's own)."""
    cpus: int = 4
    """Processors of a job on the cluster."""
    gpus: int = 0
    """GPUs of a job on the cluster."""
    mem_gb: float = 16.0
    """Memory of a job on the cluster, in gigabytes."""
    timeout_minutes: int = 240
    """A job on the cluster that takes longer is ended."""

    def faults(self) -> list[Fault]:
        """What can't be right about these options."""
        faults = out_of_range(
            self, jobs=(1, None), cpus=(1, None), gpus=(0, None), mem_gb=(0.1, None), timeout_minutes=(1, None)
        )
        if self.partition is not None and self.launcher != "slurm":
            got = f"--launcher {self.launcher}"
            fix = "Add --launcher slurm, or leave --partition out."
            faults.append(Fault(where="--partition", expected="--launcher slurm with it", got=got, fix=fix))
        return faults
