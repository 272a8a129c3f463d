"""A scanner that answers as clamd(8) documents it and finds the EICAR test file."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# In two halves, so that no scanner of this machine takes the source for it.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
BYTES_MAX = 3_000_000


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert self.rfile.read(10) == b"zINSTREAM\0"
        content = b""
        while size := int.from_bytes(self.rfile.read(4), "big"):
            content += self.rfile.read(size)
        if len(content) > BYTES_MAX:
            self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
        else:
            self.wfile.write(b"stream: Eicar-Signature FOUND\0" if EICAR in content else b"stream: OK\0")


@contextmanager
def clamd(folder: Path | None = None) -> Iterator[str]:
    """Run the scanner and give its address: a socket of a folder, or a port of this machine."""
    kind = socketserver.ThreadingUnixStreamServer if folder else socketserver.ThreadingTCPServer
    with kind(str(folder / "clamd") if folder else ("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"unix:{folder}/clamd" if folder else f"tcp:127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
