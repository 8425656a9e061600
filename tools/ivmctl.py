#!/usr/bin/env python3
"""Speaks to a running guest over the control socket of `ivm run --control`. Protocol: docs/control.md.

  ivmctl.py unix:PATH COMMAND [WORD...]      prints the result as JSON; status 1 when the command failed
  ivmctl.py unix:PATH --events [KIND,...]    prints what is subscribed, then events, one a line, until the guest ends

As a module:

  with Control("unix:/run/web1.control") as guest:
      guest.command("attach", resource="disk:avio_stor::file:/images/data.img")
      guest.line("eject 0,2,1")
"""
import argparse
import collections
import json
import socket
import sys


class ControlError(Exception):
    """A command that failed. `kind` is one of the words of docs/control.md."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


class Control:
    """One connection. Replies come in the order of the requests; events that arrive meanwhile are kept."""

    def __init__(self, endpoint, timeout=60):
        kind, _, where = endpoint.partition(":")
        if kind == "tcp":
            host, _, port = where.rpartition(":")
            self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(where if kind == "unix" else endpoint)
        self.stream = self.socket.makefile("r", encoding="utf-8", newline="\n")
        self.last_id = 0
        self.pending_events = collections.deque()
        self.greeting = self._read()["ivm"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()
        self.socket.close()

    def command(self, name, /, **arguments):
        """Runs a command; returns its result or raises ControlError. Write `power_off` for `power-off`."""
        return self._request({"command": name.replace("_", "-"), "arguments": arguments})

    def line(self, text):
        """Runs a command line as a person types it."""
        return self._request({"line": text})

    def next_event(self, kind=None):
        """The next event (of a kind) that was asked for with command("events"): a dict with "event" and "data"."""
        while True:
            for event in list(self.pending_events):
                if kind in (None, event["event"]):
                    self.pending_events.remove(event)
                    return event
            self.pending_events.append(self._read())

    def _request(self, request):
        self.last_id += 1
        self.socket.sendall((json.dumps({"id": self.last_id, **request}) + "\n").encode())
        while True:
            answer = self._read()
            if "event" in answer:
                self.pending_events.append(answer)
            elif answer.get("id") == self.last_id:
                break
        if "error" in answer:
            raise ControlError(answer["error"]["kind"], answer["error"]["message"])
        return answer["result"]

    def _read(self):
        line = self.stream.readline()
        if not line:
            raise EOFError("the guest has closed the connection")
        return json.loads(line)


def quoted(word):
    return "'" + word.replace("'", "'\\''") + "'"


def show_events(control, kinds):
    print(json.dumps(control.command("events", kinds=kinds)), flush=True)
    while True:
        print(json.dumps(control.next_event()), flush=True)


def main():
    parser = argparse.ArgumentParser(description="Speaks to a running guest over its control socket.")
    parser.add_argument("endpoint", help="unix:PATH, tcp:127.0.0.1:PORT or PATH")
    parser.add_argument("--events", nargs="?", const="all", metavar="KINDS", help="print events until the guest ends")
    parser.add_argument("words", nargs="*", metavar="WORD", help="a command and its arguments; help lists them")
    args = parser.parse_intermixed_args()
    if not args.events and not args.words:
        parser.error("a command is needed, or --events")
    try:
        with Control(args.endpoint) as control:
            if args.words:
                print(json.dumps(control.line(" ".join(map(quoted, args.words))), indent=2))
            if args.events:
                control.socket.settimeout(None)
                show_events(control, args.events)
    except ControlError as error:
        print(f"ivmctl: {error}", file=sys.stderr)
        return 1
    except EOFError:
        return 0
    except OSError as error:
        print(f"ivmctl: {args.endpoint}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
