# SPDX-License-Identifier: LGPL-2.1-or-later
"""Call dockmgrd from login sessions of each kind, all at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from integration.callers import ANSWERS, Answer, answer_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bed.host import Host
    from integration.callers import Call


class Login(Enum):
    """How a user got on the host; the value is what logind says of the session then.

    For polkit it is local only with a seat, so `SSH` and `COCKPIT` are neither active nor inactive
    to it, but "any".
    """

    NONE = ""
    SCREEN = "Type=wayland Class=user Remote=no Seat=seat0 Active=yes"
    SSH = "Type=tty Class=user Remote=yes Seat= Active=yes"
    COCKPIT = "Type=web Class=user Remote=yes Seat= Active=yes"


# What the three programs tell PAM: service, terminal, remote host, and the session's environment.
_PAM: Mapping[Login, tuple[str, str, str, Sequence[str]]] = {
    Login.SCREEN: ("gdm-password", "", "", ["XDG_SEAT=seat0", "XDG_SESSION_TYPE=wayland"]),
    Login.SSH: ("sshd", "ssh", "192.0.2.7", []),
    Login.COCKPIT: (
        "cockpit",
        "",
        "192.0.2.7",
        ["XDG_SESSION_TYPE=web", "XDG_SESSION_CLASS=user"],
    ),
}

# Runs on the host as root: a process for each party, which logs in, becomes the user, and calls.
_PARTIES = f"""{ANSWERS}
import ctypes, os, pwd, subprocess, traceback
PAM_TTY, PAM_RHOST, PAM_CONV_ERR = 3, 4, 19
CONVERSATION = ctypes.CFUNCTYPE(ctypes.c_int)

class Conv(ctypes.Structure):
    _fields_ = [("conv", CONVERSATION), ("data", ctypes.c_void_p)]

conv = Conv(CONVERSATION(lambda: PAM_CONV_ERR), None)

def log_in(user, service, terminal, remote_host, environment):
    pam, handle = ctypes.CDLL("libpam.so.0"), ctypes.c_void_p()
    pam.pam_getenv.restype = ctypes.c_char_p
    def done(result):
        assert result == 0, result
    done(pam.pam_start(service.encode(), user.encode(), ctypes.byref(conv), ctypes.byref(handle)))
    for item, value in ((PAM_TTY, terminal), (PAM_RHOST, remote_host)):
        if value:
            done(pam.pam_set_item(handle, item, value.encode()))
    for variable in environment:
        done(pam.pam_putenv(handle, variable.encode()))
    done(pam.pam_open_session(handle, 0))
    session = pam.pam_getenv(handle, b"XDG_SESSION_ID").decode()
    properties = ["Type", "Class", "Remote", "Seat", "Active"]
    shown = subprocess.check_output(
        ["loginctl", "show-session", session, *("--property=" + each for each in properties)],
        text=True)
    lines = dict(line.split("=") for line in shown.splitlines())
    return " ".join(each + "=" + lines.get(each, "") for each in properties)

def party(user, login, calls, at_once):
    session = log_in(user, *login) if login else ""
    if user is not None:
        entry = pwd.getpwnam(user)
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    return [session, asyncio.run(answers(calls, at_once))]

def begin(arguments):
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        return os.fdopen(reading)
    status = 1
    try:
        with os.fdopen(writing, "w") as out:
            json.dump(party(*arguments), out)
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(status)

print(json.dumps([json.load(each) for each in [begin(each) for each in json.loads(sys.argv[1])]]))
"""


@dataclass(frozen=True)
class Party:
    """A user with calls to make, one after another or all at once."""

    user: str | None
    calls: Sequence[Call]
    login: Login = Login.NONE
    at_once: bool = False


def command(parties: Sequence[Party]) -> list[str]:
    """A command for root that has all parties call; `answers` of what it prints."""
    request = [
        [each.user, _PAM.get(each.login), [call.to_json() for call in each.calls], each.at_once]
        for each in parties
    ]
    return ["/usr/bin/python3", "-IBc", _PARTIES, json.dumps(request)]


def answers(output: str, parties: Sequence[Party]) -> list[list[Answer]]:
    """What each party was answered."""
    replies = json.loads(output)
    sessions = [session for session, _ in replies]
    assert sessions == [each.login.value for each in parties], "PAM made other sessions"
    return [list(map(answer_of, got)) for _, got in replies]


def ask(host: Host, parties: Sequence[Party]) -> list[list[Answer]]:
    """Have all parties call at the same time."""
    return answers(host.run(*command(parties)).stdout, parties)


def allow_logins(host: Host) -> None:
    """Bring the PAM services of the programs, as far as sessions go."""
    for service, *_ in _PAM.values():
        host.write(f"/etc/pam.d/{service}", "@include common-session\n")
