"""A Slurm cluster of one node on loopback, for as long as a test needs it.

munged, slurmctld and slurmd run in the foreground as children of this process, with files and ports of their own, so
they neither touch nor need an installed cluster. They are stopped by their ids, and the kernel stops them if this
process dies before.
"""

import getpass
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_PROGRAMS = ("munged", "munge", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "sinfo", "setpriv")
_SYSTEM_FOLDERS = "/usr/sbin:/sbin"
_START_S, _STOP_S = 30, 10

_SLURM_CONF = """\
ClusterName=one
SlurmctldHost={node}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={slurmctld_port}
SlurmdPort={slurmd_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
KillWait=2
NodeName={node} NodeAddr=127.0.0.1 CPUs={n_cpus} RealMemory={memory_mb} State=UNKNOWN
PartitionName=test Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str | None:
    """Why no node can be started here; None where one can."""
    missing = [name for name in _PROGRAMS if shutil.which(name, path=_search_path()) is None]
    if missing:
        return f"no Slurm here: {', '.join(missing)} not installed (Debian: slurm-wlm, munge)"
    return None if os.geteuid() == 0 else "slurmd starts jobs as root alone"


@contextmanager
def slurm_node() -> Iterator[dict[str, str]]:
    """Start a node with its files in a temporary folder; give the variables its commands need; stop it at the end."""
    node = socket.gethostname().split(".")[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="slurm_")))
        folder.chmod(0o711)  # munged's own user has to reach its socket
        variables = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": _search_path()}
        environment = os.environ | variables
        _start_munged(folder, stack=stack, environment=environment)
        _write_configuration(folder, node=node)
        for name, flags in (("slurmctld", ["-D"]), ("slurmd", ["-D", "-N", node])):
            stack.enter_context(_running([name, *flags], log=folder / f"{name}.log", environment=environment))
        state = ["sinfo", "--noheader", "--format=%t"]
        _wait_for(lambda: _output_of(state, environment) == "idle", what="an idle node", folder=folder)
        stack.callback(_end_jobs, environment)
        yield variables


def _end_jobs(environment: dict[str, str]) -> None:
    """Cancel what is still queued or runs, and wait for it: jobs outlive the daemons that started them."""
    subprocess.run(["scancel", f"--user={getpass.getuser()}"], env=environment, check=False)
    end = time.monotonic() + _STOP_S
    while _output_of(["squeue", "--noheader"], environment) and time.monotonic() < end:
        time.sleep(0.1)


def _start_munged(folder: Path, *, stack: ExitStack, environment: dict[str, str]) -> None:
    """The daemon by which Slurm's programs know each other, run as its own user where there is one."""
    private = folder / "munge"
    private.mkdir(mode=0o711)
    key = private / "key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    user = _munge_user()
    for path in (private, key):
        shutil.chown(path, user=user)
    files = {"socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    flags = [f"--{flag}={private / name}" for flag, name in files.items()]
    command = ["munged", "--foreground", "--force", f"--key-file={key}", *flags]
    stack.enter_context(_running(command, log=folder / "munged.log", environment=environment, user=user))
    _wait_for((private / "socket").exists, what="munged's socket", folder=folder)


def _write_configuration(folder: Path, *, node: str) -> None:
    """slurm.conf, and the folders that it names."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        ports = {"slurmctld_port": first.getsockname()[1], "slurmd_port": second.getsockname()[1]}
    memory_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 9 // 10 >> 20
    machine = {"node": node, "n_cpus": os.cpu_count(), "memory_mb": memory_mb}
    text = _SLURM_CONF.format(folder=folder, user=getpass.getuser(), **machine, **ports)
    (folder / "slurm.conf").write_text(text, encoding="utf-8")


@contextmanager
def _running(
    command: Sequence[str], *, log: Path, environment: dict[str, str], user: str | None = None
) -> Iterator[subprocess.Popen]:
    """A daemon in the foreground; stopped by its id at the end, and by the kernel if this process dies."""
    identity = ["--reuid", user, "--clear-groups"] if user else []
    guarded = ["setpriv", *identity, "--pdeathsig", "TERM", *command]
    with log.open("wb") as output:
        daemon = subprocess.Popen(guarded, stdout=output, stderr=output, env=environment, start_new_session=True)
    try:
        yield daemon
    finally:
        daemon.terminate()
        try:
            daemon.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def _wait_for(is_so: Callable[[], bool], *, what: str, folder: Path) -> None:
    """Wait until something is so, and say what the daemons said if it never is."""
    end = time.monotonic() + _START_S
    while not is_so():
        if time.monotonic() > end:
            logs = "\n".join(f"{log.name}: {log.read_text(errors='replace')}" for log in sorted(folder.glob("*.log")))
            raise TimeoutError(f"slurm_node: expected {what} within {_START_S} s, got none.\n{logs}")
        time.sleep(0.1)


def _output_of(command: Sequence[str], environment: dict[str, str]) -> str:
    """What a command prints; nothing while the controller does not answer."""
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout.strip()


def _munge_user() -> str | None:
    """The user that the package made for munged; None where there is none."""
    try:
        return pwd.getpwnam("munge").pw_name
    except KeyError:
        return None


def _search_path() -> str:
    """Where programs are looked for; daemons are often outside of a user's own path."""
    return f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_FOLDERS}"
