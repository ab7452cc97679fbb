"""Closing a port so that nobody who has been let in is sent away."""

import asyncio
import contextlib
import ctypes
import socket
import struct

from aiohttp import web

_SO_ATTACH_FILTER = 26
_DROP_EVERYTHING = struct.pack("HBBI", 6, 0, 0, 0)  # one instruction: return nothing of the packet
_SECONDS_FOR_THE_QUEUE = 0.05


async def take_no_more(port: web.BaseSite) -> None:
    """Takes the connections that wait in the queue of the port, and closes it.

    Without a filter before it, what comes between the last look into the queue and the close would be reset after its
    client believed itself connected.
    """
    server = port._server
    for listening in getattr(server, "sockets", ()):
        with contextlib.suppress(OSError):  # a system without such filters
            _drop_packets(listening)
    await asyncio.sleep(_SECONDS_FOR_THE_QUEUE)
    await port.stop()


def _drop_packets(listening: socket.socket) -> None:
    program = ctypes.create_string_buffer(_DROP_EVERYTHING)
    # struct sock_fprog: number of instructions, address of the first.
    listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))
