"""A room with nothing real in it (Linux): Python, evonet and one folder, an unprivileged user, no network.

`entered` starts this program again in namespaces of its own, where the root directory is an empty one with Python and
the system's libraries mounted read-only. Where the machine allows no namespaces, an unprivileged user has to do.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")
DEVICES = ("null", "zero", "full", "random", "urandom")
NAMESPACES = ("--mount", "--net", "--ipc", "--uts")
_STILL = 2.5  # seconds in which a process that waits has used no processor
_LONGEST = 120.0  # seconds of any command


def command(folder: Path) -> tuple[list[str], str]:
    """What starts a program in the room, and the room in words; the program calls `enter` first."""
    users = ([], ["--user", "--map-root-user"]) if os.getuid() == 0 else (["--user", "--map-root-user"],)
    for user in users:
        prefix = ["unshare", *user, *NAMESPACES]
        with contextlib.suppress(OSError):
            probe = ["mount", "-t", "tmpfs", "tmpfs", str(folder / "root")]
            if subprocess.run([*prefix, *probe], capture_output=True, check=False).returncode == 0:
                who = f"user {NOBODY}" if not user and os.getuid() == 0 else "root of a user namespace only"
                return prefix, f"namespaces for mounts, network, IPC; a root directory of its own; {who}"
    if os.getuid() == 0:
        return [], f"no namespaces are to be had here: user {NOBODY}, in a folder of its own"
    return [], f"no namespaces are to be had here, and this is not root: user {os.getuid()}, in a folder of its own"


def enter(folder: Path, readable: list[Path], *, namespaces: bool) -> None:
    """Leave everything behind but `folder`, which stays writable, and what is `readable`."""
    if namespaces:
        root = folder / "root"
        _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", root)
        known: list[Path] = []
        for path in sorted({*map(Path, SYSTEM), *readable}):
            if not any(path.is_relative_to(other) for other in known) and (path.exists() or path.is_symlink()):
                known.append(path)
                _show(path, root, read_only=True)
        for device in DEVICES:
            _show(Path("/dev", device), root)
        (root / "dev" / "shm").mkdir(mode=0o777)
        (root / "dev" / "shm").chmod(0o1777)
        _show(Path("/proc"), root)
        _show(folder, root)
        os.chroot(root)
    if os.getuid() == 0 and _can_be(NOBODY):
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        ctypes.CDLL(None).prctl(4, 1)  # PR_SET_DUMPABLE: its own /proc stays readable
    os.chdir(folder)


def _can_be(user: int) -> bool:
    """Whether a user exists in this namespace."""
    spans = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(first <= user < first + count for first, _, count in spans)


def _mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True, capture_output=True)


def _show(path: Path, root: Path, *, read_only: bool = False) -> None:
    """Let a path be in the new root what it is in this one."""
    target = root / path.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        target.symlink_to(path.readlink())
        return
    if path.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.touch()
    _mount("--rbind", path, target)
    if read_only:
        with contextlib.suppress(subprocess.CalledProcessError):  # an unprivileged user cannot write there anyway
            _mount("-o", "remount,bind,ro", target)


@dataclass
class Outcome:
    """What became of a process.

    Attributes:
        status: exit status; minus the number of a signal; None where it had to be ended.
        stdout: what it printed.
        stderr: what it printed there.
        crash: traceback of the exception that left it, or "".
        seconds: of processor time, its children's included.
        memory: bytes that it held at most, beyond those that it was born with.
        waited: what it waited for without an end, or "".
        left: whether processes that it started outlived it.
    """

    status: int | None = None
    stdout: str = ""
    stderr: str = ""
    crash: str = ""
    seconds: float = 0.0
    memory: int = 0
    waited: str = ""
    left: bool = False


@dataclass(frozen=True)
class Limits:
    """What a process may take before the kernel or we end it: more than it should, so that the excess is seen."""

    seconds: int = 10
    memory: int = 2 << 30
    file: int = 1 << 28

    def apply(self) -> None:
        """To this process."""
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + self.memory,) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (self.seconds, self.seconds + 2))
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.file, self.file))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def forked(function: Callable[[], int], streams: Path, limits: Limits) -> Outcome:
    """Call a function in a fork of this process."""
    crash, born = streams / "crash", resident(os.getpid())
    process = os.fork()
    if process == 0:
        status = 70
        try:
            os.setsid()
            _redirect({0: "/dev/null", 1: streams / "stdout", 2: streams / "stderr"})
            limits.apply()
            status = function()
            sys.stdout.flush()
            sys.stderr.flush()
        except SystemExit as ending:
            status = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
        except BaseException:  # noqa: BLE001 - the process ends here
            crash.write_text(traceback.format_exc(), encoding="utf-8", errors="backslashreplace")
        finally:
            os._exit(status)
    outcome = _watched(process, streams)
    outcome.memory = max(0, outcome.memory - born)
    return outcome


def spawned(arguments: list[str], streams: Path, limits: Limits, environment: dict[str, str]) -> Outcome:
    """Run a program."""
    with (streams / "stdout").open("wb") as out, (streams / "stderr").open("wb") as err:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=environment,
            start_new_session=True,
            preexec_fn=limits.apply,  # noqa: PLW1509 - one thread
        )
    outcome = _watched(process.pid, streams)
    process.returncode = outcome.status or 0  # it has been waited for
    return outcome


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Within it, nothing that this process prints is seen."""
    kept = [os.dup(number) for number in (0, 1, 2)]
    _redirect({0: "/dev/null", 1: "/dev/null", 2: "/dev/null"})
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in enumerate(kept):
            os.dup2(descriptor, number)
            os.close(descriptor)


def _redirect(targets: dict[int, Path | str]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    for number, path in targets.items():
        descriptor = os.open(path, os.O_RDWR | (os.O_CREAT | os.O_TRUNC if isinstance(path, Path) else 0), 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)


def _watched(process: int, streams: Path) -> Outcome:
    """Wait for a process, the leader of a session; end it if it waits for ever."""
    outcome = Outcome()
    started = still_since = time.monotonic()
    spent = -1
    handle = os.pidfd_open(process)
    ended = select.poll()
    ended.register(handle, select.POLLIN)
    while not ended.poll(250):
        now, (state, used, place) = time.monotonic(), _activity(process)
        if state != "S" or used != spent:
            still_since, spent = now, used
        if now - still_since > _STILL:
            outcome.waited = place or "something"
        elif now - started > _LONGEST:
            outcome.waited = "its end"
        if outcome.waited:
            os.kill(process, signal.SIGKILL)
    os.close(handle)
    _, status, usage = os.wait4(process, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
        outcome.left = True
    if not outcome.waited:
        outcome.status = os.waitstatus_to_exitcode(status)
    outcome.seconds = usage.ru_utime + usage.ru_stime
    outcome.memory = usage.ru_maxrss << 10
    outcome.stdout, outcome.stderr, outcome.crash = (_read(streams / name) for name in ("stdout", "stderr", "crash"))
    return outcome


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(1 << 22).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""
    path.unlink()
    return text


def _activity(process: int) -> tuple[str, int, str]:
    """State, ticks of processor time, and what the kernel says it waits for, of a process and its children."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        place = Path(f"/proc/{process}/wchan").read_text()
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return "Z", 0, ""
    state, used = fields[0], int(fields[11]) + int(fields[12])
    for child in children:
        theirs, more, _ = _activity(int(child))
        state, used = ("R" if theirs != "S" else state), used + more
    return state, used, place


def resident(process: int) -> int:
    """Bytes of a process's memory that are in use."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
