"""How the decoding child is shut in: memory, time, files, processes, network.

Floor 0. Linux gives all of it; elsewhere what the system lacks is left out. Nothing here is the only wall: the child is
cheap to kill, and the parent believes nothing that it says.
"""

import contextlib
import ctypes
import os
import pwd
import resource
import signal
import struct
import sys
from typing import Final

from vault.imaging import syscalls

MAX_OUTPUT_BYTES: Final = 64 * 1024 * 1024
"""Above any preview; a child cannot fill the disk."""

_LINUX: Final = sys.platform == "linux"
# include/uapi/linux/prctl.h
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
# include/uapi/linux/sched.h
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
# The same numbers on every architecture: include/uapi/asm-generic/unistd.h
_LANDLOCK_CREATE_RULESET: Final = 444
_LANDLOCK_RESTRICT_SELF: Final = 446
_LANDLOCK_VERSION: Final = 1
# Rights known to each version of Landlock, as (files, network, scopes): include/uapi/linux/landlock.h
_LANDLOCK_RIGHTS: Final = (
    (1, (1 << 13) - 1, 0, 0),
    (2, (1 << 14) - 1, 0, 0),
    (3, (1 << 15) - 1, 0, 0),
    (4, (1 << 15) - 1, 3, 0),
    (5, (1 << 16) - 1, 3, 0),
    (6, (1 << 16) - 1, 3, 3),
)

_libc: Final = ctypes.CDLL(None, use_errno=True) if _LINUX else None


def become_nobody() -> None:
    """Give up the network, and root's rights where there are any. For the zygote, once, when all is loaded.

    Silently does less where the system does not permit it, as in many containers.
    """
    if _libc is not None:
        own_users = 0 if os.geteuid() == 0 else _CLONE_NEWUSER
        _libc.unshare(ctypes.c_int(own_users | _CLONE_NEWNET))
    if os.geteuid() == 0:
        with contextlib.suppress(OSError, KeyError):
            nobody = pwd.getpwnam("nobody")
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
    _prctl(_PR_SET_DUMPABLE, 0)


def confine(
    *,
    memory_bytes: int,
    cpu_seconds: int,
    parent_pid: int,
    output_bytes: int = MAX_OUTPUT_BYTES,
    needs_threads: bool = False,
) -> None:
    """Shut the calling process in for the rest of its life. For the child, after the fork, when its files are open.

    With `needs_threads` it may start threads, where this system can allow them without allowing processes.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        # The parent died before the line above could bind this life to its own.
        os._exit(1)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)
    _leave_the_file_system()
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, output_bytes)
    # One second more until the signal that cannot be caught.
    _limit(resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1)
    if _LINUX:
        _limit(resource.RLIMIT_AS, memory_bytes)
    if not needs_threads or not syscalls.forbid_processes():
        _limit(resource.RLIMIT_NPROC, 0)
    # What is open stays open, and nothing can be opened any more: no file, no socket, no pipe.
    _limit(resource.RLIMIT_NOFILE, 0)


def _prctl(option: int, value: int) -> None:
    if _libc is not None and _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} failed")


def _leave_the_file_system() -> None:
    """Give up every right on files, TCP and other processes that this kernel's Landlock can take away."""
    version = _landlock(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION)
    rights = [entry[1:] for entry in _LANDLOCK_RIGHTS if entry[0] <= version]
    if not rights:
        return
    rule_set = struct.pack("QQQ", *rights[-1])
    # Older kernels know a shorter struct, and accept a longer one whose unknown part is zero.
    handle = _landlock(_LANDLOCK_CREATE_RULESET, rule_set, len(rule_set), 0)
    if handle >= 0:
        _landlock(_LANDLOCK_RESTRICT_SELF, handle, 0)
        os.close(handle)


def _landlock(call: int, *arguments: bytes | int | None) -> int:
    """A system call that the C library has no name for; -1 when the kernel lacks or forbids it."""
    if _libc is None:
        return -1
    wide = (ctypes.c_ulong(each) if isinstance(each, int) else each for each in arguments)
    return int(_libc.syscall(ctypes.c_long(call), *wide))


def _limit(what: int, soft: int, hard: int | None = None) -> None:
    """Lower a limit; one that is lower already stays."""
    _, ceiling = resource.getrlimit(what)
    hard = soft if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(what, (soft, hard))
