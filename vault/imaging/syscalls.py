"""A filter before the kernel: threads may be started, processes and programs may not.

Floor 0. A limit on processes counts threads too, and the decoder of HEIC has one that cannot be talked out of it. Linux
alone; see seccomp(2).
"""

import ctypes
import platform
import struct
import sys
from typing import Final, NamedTuple


class _Machine(NamedTuple):
    """The numbers of one kind of processor: its own, and those of the calls that start something."""

    audit: int
    clone: int
    denied: tuple[int, ...]
    highest: int = 0xFFFFFFFF


# include/uapi/linux/audit.h and the tables of system calls; of x86-64 without its second set of numbers (x32).
_MACHINES: Final = {
    "x86_64": _Machine(0xC000003E, 56, (57, 58, 59, 322), 0x3FFFFFFF),
    "aarch64": _Machine(0xC00000B7, 220, (221, 281)),
    "riscv64": _Machine(0xC00000F3, 220, (221, 281)),
    "armv7l": _Machine(0x40000028, 120, (2, 11, 190, 387)),
}
_CLONE3: Final = 435
_CLONE_THREAD: Final = 0x10000
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2
# Where struct seccomp_data holds them.
_NUMBER, _AUDIT, _FIRST_ARGUMENT = 0, 4, 16
# Classic BPF: include/uapi/linux/bpf_common.h
_LOAD, _EQUAL, _GREATER, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_EPERM, _ENOSYS = 1, 38


def is_known() -> bool:
    """Whether the system calls of this system and processor are known here."""
    return sys.platform == "linux" and platform.machine() in _MACHINES


def forbid_processes() -> bool:
    """Let the calling process start threads and nothing else, for the rest of its life; whether that was possible.

    Needs `PR_SET_NO_NEW_PRIVS`.
    """
    if not is_known():
        return False
    program = _program(_MACHINES[platform.machine()])
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP" if struct.calcsize("P") == 8 else "HxxP", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    mode = ctypes.c_ulong(_SECCOMP_MODE_FILTER)
    return bool(libc.prctl(_PR_SET_SECCOMP, mode, ctypes.create_string_buffer(header, len(header)), 0, 0) == 0)


def _program(machine: _Machine) -> bytes:
    """Write the filter: what each step does, and how far it jumps where its question is answered yes or no."""
    # Steps from the end, where a jump leads: to leave alone, to deny, to pretend that the kernel is older.
    last = (_step(_RETURN, _ALLOW), _step(_RETURN, _ERRNO | _EPERM), _step(_RETURN, _ERRNO | _ENOSYS))
    steps: list[tuple[int, int, str, str]] = [
        (_LOAD, _AUDIT, "", ""),
        (_EQUAL, machine.audit, "", "deny"),
        (_LOAD, _NUMBER, "", ""),
        (_GREATER, machine.highest, "deny", ""),
        *((_EQUAL, number, "deny", "") for number in machine.denied),
        # Its flags lie in memory, which a filter cannot read; the library then takes the older call.
        (_EQUAL, _CLONE3, "pretend", ""),
        (_EQUAL, machine.clone, "", "allow"),
        (_LOAD, _FIRST_ARGUMENT, "", ""),
        (_ANY_BIT, _CLONE_THREAD, "allow", "deny"),
    ]
    places = {"allow": len(steps), "deny": len(steps) + 1, "pretend": len(steps) + 2}
    code = b""
    for at, (what, number, yes, no) in enumerate(steps):
        code += _step(what, number, *(places[name] - at - 1 if name else 0 for name in (yes, no)))
    return code + b"".join(last)


def _step(what: int, number: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", what, yes, no, number)
