"""Callers who send a request and then neither read nor write. Small segments and a small receive buffer keep most of an
answer out of the kernel, so that it stalls in the gateway.

stalled-callers.py SCHEME PORT COUNT KEYS REQUEST: prints `sent COUNT`, then `ended N of COUNT` whenever connections end.
In REQUEST, `{key}` stands for one of the comma-separated KEYS, which take turns.
"""

import select
import socket
import ssl
import sys

scheme, keys, request = sys.argv[1], sys.argv[4].split(","), sys.argv[5]
port, count = int(sys.argv[2]), int(sys.argv[3])
tls = ssl.create_default_context()
tls.check_hostname = False
tls.verify_mode = ssl.CERT_NONE
poll = select.poll()
callers = {}
for number in range(count):
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
    caller.connect(("127.0.0.1", port))
    if scheme == "https":
        caller = tls.wrap_socket(caller)
    caller.sendall(request.replace("{key}", keys[number % len(keys)]).encode("latin1"))
    callers[caller.fileno()] = caller
    poll.register(caller, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
print(f"sent {count}", flush=True)

while callers:
    for descriptor, _ in poll.poll():
        poll.unregister(descriptor)
        callers.pop(descriptor).close()
    print(f"ended {count - len(callers)} of {count}", flush=True)
