"""An HTTP proxy that knows CONNECT alone, and leads every name to where the test says."""
import contextlib
import socket
import threading

from harness.street import Listener


class Tunnel(Listener):
    """`leads_to` is an address, whatever name was asked for; `answer` replaces the proxy's 200, and then nothing is tunnelled."""

    def __init__(self, leads_to, answer=None):
        self.leads_to, self.answer = leads_to, answer
        self.heads = []  # each as text
        self.tunnelled = 0
        super().__init__()

    def serve(self, connection, number):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            if not byte:
                return
            head += byte
        self.heads.append(head.decode("latin-1"))
        if self.answer is not None:
            connection.sendall(self.answer)
            while connection.recv(65536):
                self.tunnelled += 1
            return
        host, _, port = self.leads_to.rpartition(":")
        with socket.create_connection((host, int(port))) as onward:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=self._copy, args=(onward, connection), daemon=True)
            back.start()
            self._copy(connection, onward)
            back.join()

    @staticmethod
    def _copy(source, target):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
