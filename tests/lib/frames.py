"""The line between `tests/vm/guest` on the host and `tests/vm/agent` in the guest.

A virtio-serial port is a byte stream that either side may leave in the middle of anything, so a
conversation begins with a token of the host's choice which the agent sends back: whatever comes
before it belongs to somebody else.  After that: type (1 byte), length (4 bytes), data.

  host:  R request (JSON: token, argv, cwd, env, terminal)   I input   W window size   K signal
  agent: O output   E error output   X exit status
"""
import struct

HEADER = struct.Struct("!cI")
WINDOW = struct.Struct("!HH")


def pack(kind, data=b""):
    return HEADER.pack(kind, len(data)) + data


def take(buffer):
    """Take one frame off a bytearray: (type, data), or None while it is incomplete."""
    if len(buffer) < HEADER.size:
        return None
    kind, length = HEADER.unpack_from(buffer)
    end = HEADER.size + length
    if len(buffer) < end:
        return None
    data = bytes(buffer[HEADER.size:end])
    del buffer[:end]
    return kind, data
