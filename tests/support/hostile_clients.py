#!/usr/bin/env python3
"""Connects clients to a control socket that send rubbish or nothing and never read; they stay until the guest ends.

  hostile_clients.py SOCKET
"""
import os
import socket
import sys

RUBBISH = (b"\0" * 5000, b"{" * 60000, b"x" * 300000, b'{"command":"help"}\n' * 2000, b"")

clients = []
for rubbish in RUBBISH:
    client = socket.socket(socket.AF_UNIX)
    client.connect(sys.argv[1])
    client.setblocking(False)
    try:
        client.send(rubbish)
    except OSError:
        pass
    clients.append(client)
ready, tell = os.pipe()
if os.fork() == 0:
    os.setsid()  # what goes with the caller's process group leaves this one alone
    os.write(tell, b"!")
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)
    watch = socket.socket(socket.AF_UNIX)  # the only one that is read: its end is the guest's
    watch.connect(sys.argv[1])
    while watch.recv(4096):
        pass
else:
    os.read(ready, 1)
