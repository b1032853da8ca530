"""Starts programs, measures their CPU time and lets none outlive this one."""

import os
import signal
import subprocess
import sys
import tempfile
import time


class Failed(Exception):
    """A program that ended with an error: the last that it said."""


def last_words(text, code):
    """Where an error is named, from there on; else the end."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [i for i, line in enumerate(lines) if line.lower().startswith("error")]
    told = lines[errors[0] :] if errors else lines[-3:]
    return " ".join(told)[:300].replace("|", "/") or f"exit code {code}"


class Runner:
    """One program at a time, each in a process group of its own."""

    def __init__(self):
        self.process = None
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, signal.default_int_handler)

    def say(self, text):
        """Progress: one line that is written over, if somebody looks."""
        if sys.stderr.isatty():
            width = os.get_terminal_size(sys.stderr.fileno()).columns
            print(f"\r{text[: width - 1]:<{width - 1}}", end="", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)

    def timed(self, command, **options):
        """CPU seconds, of user and system, and what the program prints."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            words = [str(word) for word in command]
            self.process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                **options,
            )
            try:
                code, usage = self.wait()
            finally:
                self.kill()
            out.seek(0)
            err.seek(0)
            if code != 0:
                raise Failed(last_words(err.read(), code))
            return usage.ru_utime + usage.ru_stime, out.read()

    def wait(self):
        """The usage of the program and all its children; looks often, so that Ctrl-C works."""
        pause = 0.001
        while True:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                self.process.returncode = os.waitstatus_to_exitcode(status)
                return self.process.returncode, usage
            time.sleep(pause)
            pause = min(2 * pause, 0.05)

    def kill(self):
        """Kills what is left of the program and of what it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        if self.process.returncode is None:
            self.process.wait()
