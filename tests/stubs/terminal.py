# SPDX-License-Identifier: MIT
"""fffa top on a terminal that a test plays."""
import os
import pty
import select
import subprocess
import termios
import time

import program


class Terminal:
    """fffa top on a VT52, whose screen is kept. more: further options. owned: the terminal sends it signals."""

    def __init__(self, conf, rows, columns, kind="vt52", more=("--interval", "0.1"), env=None, owned=True):
        self.ours, self.theirs = pty.openpty()  # theirs stays open, so that reading never fails
        self.ends = [self.ours, self.theirs]
        self.got, self.rest = b"", b""
        self.cells = [[" "] * 200 for _ in range(60)]
        self.y = self.x = 0
        termios.tcsetwinsize(self.theirs, (rows, columns))
        self.process = subprocess.Popen(["setsid", *(["--ctty"] if owned else []), program.FFFA, "top", "-c", conf, *more],
                                        stdin=self.theirs, stdout=self.theirs, stderr=self.theirs,
                                        env={**os.environ, **(env or {}), "TERM": kind})

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.process.kill()
        self.process.wait()
        self.hang_up()

    def hang_up(self):
        while self.ends:
            os.close(self.ends.pop())

    def resize(self, rows, columns):
        termios.tcsetwinsize(self.ours, (rows, columns))

    def press(self, keys):
        os.write(self.ours, keys.encode())

    def row(self, y):
        return "".join(self.cells[y]).rstrip()

    def text(self):
        return "\n".join(map(self.row, range(60)))

    def until(self, what, condition):
        end = time.monotonic() + program.WAIT_S
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what}: never on the screen:\n{self.text()}")
            if select.select([self.ours], [], [], 0.05)[0]:
                data = os.read(self.ours, 65536)
                self.got += data
                self.rest = self.play(self.rest + data)

    def play(self, data):
        """Writes to the screen what is complete, and returns the rest."""
        at = 0
        while at < len(data):
            c = data[at:at + 1]
            if c == b"\x1b":
                kind = data[at + 1:at + 2]
                size = 4 if kind == b"Y" else 2
                if len(data) < at + size:
                    break
                self.escape(kind, data[at + 2:at + size])
                at += size
                continue
            if c == b"\r":
                self.x = 0
            elif c == b"\n":
                self.y = min(self.y + 1, 59)  # pages on paper have no end
            elif c == b"\b":
                self.x -= 1
            elif c == b"\t":
                self.x = (self.x // 8 + 1) * 8
            elif c >= b" ":
                self.cells[self.y][self.x] = c.decode("latin-1")
                self.x += 1
            at += 1
        return data[at:]

    def escape(self, kind, place):
        if kind == b"Y":
            self.y, self.x = place[0] - 32, place[1] - 32
        elif kind == b"H":
            self.y = self.x = 0
        elif kind in b"ABCD":
            self.y += {b"A": -1, b"B": 1}.get(kind, 0)
            self.x += {b"C": 1, b"D": -1}.get(kind, 0)
        elif kind in b"JK":
            self.cells[self.y][self.x:] = [" "] * (200 - self.x)
            for y in range(self.y + 1, 60 if kind == b"J" else 0):
                self.cells[y] = [" "] * 200
