"""The other end of a serial line, a process on a pseudo-terminal: boots in words, asks for a login, starts a shell.

Its one argument is JSON: `boot` (lines said first), `ends` (then leave), `passwords` (name → password), `shell` (argv),
`forgets` (so many names are asked for again, as getty does when its terminal is set up anew), `expired` (passwords have
to be changed), `tears` (so many times the kernel speaks in the middle of what the shell says).
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import sys
import termios
import time
from typing import Any

KERNEL = b"[   99.123456] virtio_net virtio1: the kernel speaks\r\n"


def say(text: str) -> None:
    os.write(1, text.encode())


def ask(prompt: str, *, echo: bool) -> str:
    say(prompt)
    settings = termios.tcgetattr(0)
    if not echo:
        quiet = termios.tcgetattr(0)
        quiet[3] &= ~termios.ECHO
        termios.tcsetattr(0, termios.TCSAFLUSH, quiet)
    line = os.read(0, 4096).decode().rstrip("\n")
    termios.tcsetattr(0, termios.TCSADRAIN, settings)
    return line


def start_shell(argv: list[str], tears: int) -> None:
    left = [tears]

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 4096)
        if left[0] and len(data) > 60:
            left[0] -= 1
            return data[:50] + KERNEL + data[50:]
        return data

    pty.spawn(argv, read)


def serve(scene: dict[str, Any]) -> None:
    forgets = scene.get("forgets", 0)
    while True:
        name = ask("\r\n\x1b[0mDebian GNU/Linux 12 test ttyS0\r\n\r\ntest login: ", echo=True)
        if forgets:
            forgets -= 1
            continue
        password = ask("Password: ", echo=False)
        if scene["passwords"].get(name) != password:
            say("\r\nLogin incorrect\r\n")
            continue
        if scene.get("expired"):
            ask("\r\nYou are required to change your password.\r\nCurrent password: ", echo=False)
            continue
        say("\r\nLast login: Mon Nov 23 00:00:00 UTC 2026 on ttyS0\r\nNo warranty # to the extent permitted\r\n")
        start_shell(scene.get("shell", ["bash", "--norc", "-i"]), scene.get("tears", 0))


def main() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    scene = json.loads(sys.argv[1])
    for line in scene.get("boot", ()):
        say(line + "\r\n")
        time.sleep(0.01)
    if not scene.get("ends"):
        serve(scene)


main()
