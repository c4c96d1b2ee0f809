"""A raw NETCONF client on the daemon's unix socket: both framings, nothing hidden, no added delay.

    with Netconf(path) as client:
        client.edit_config('<l2tpv3 xmlns="...">...</l2tpv3>')
        client.get().find(".//{*}tunnel")
"""
import re
import socket
import time
import xml.etree.ElementTree as ET

from .waiting import PATIENCE

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
BASE_1_0 = "urn:ietf:params:netconf:base:1.0"
BASE_1_1 = "urn:ietf:params:netconf:base:1.1"
EVENTS = "urn:ietf:params:xml:ns:netconf:notification:1.0"
L2TP = "urn:l2tpv3d:yang:linux-l2tpv3"
END_OF_MESSAGE = b"]]>]]>"
CHUNK = re.compile(rb"\n#([1-9][0-9]{0,9})\n")
END_OF_CHUNKS = b"\n##\n"


class RpcError(Exception):
    """The first rpc-error of a reply; `errors` are all of them as dicts by element name."""

    def __init__(self, errors, reply):
        self.errors, self.reply = errors, reply
        self.tag = errors[0].get("error-tag")
        self.app_tag = errors[0].get("error-app-tag")
        self.path = errors[0].get("error-path")
        self.message = errors[0].get("error-message")
        super().__init__(f"{self.tag} at {self.path}: {self.message}")


def local_name(element):
    return element.tag.rpartition("}")[2]


def errors_of(reply):
    return [{local_name(child): (child.text or "").strip() for child in error}
            for error in reply.iter(f"{{{BASE}}}rpc-error")]


class Netconf:
    def __init__(self, path, base="1.1", seconds=PATIENCE):
        self.seconds = seconds
        self.socket = self.connect(path)
        self.buffer = bytearray()
        self.chunked = False
        self.message_id = 0
        self.notifications = []
        self.send(f'<hello xmlns="{BASE}"><capabilities><capability>{BASE_1_0}</capability>'
                  + (f"<capability>{BASE_1_1}</capability>" if base == "1.1" else "")
                  + "</capabilities></hello>")
        self.hello = ET.fromstring(self.receive())
        self.session_id = self.hello.findtext(f"{{{BASE}}}session-id")
        self.capabilities = [(e.text or "").strip() for e in self.hello.iter(f"{{{BASE}}}capability")]
        self.chunked = base == "1.1" and BASE_1_1 in self.capabilities

    @staticmethod
    def connect(path):
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(str(path))
        return connected

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_raw(self, data):
        self.socket.sendall(data)

    def framed(self, text):
        """One message in the framing of the session."""
        data = text.encode()
        return b"\n#%d\n%s\n##\n" % (len(data), data) if self.chunked else data + END_OF_MESSAGE

    def send(self, text):
        self.send_raw(self.framed(text))

    def more(self, deadline):
        self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionResetError("the server has closed the session")
        self.buffer += data

    def take(self, length, deadline):
        while len(self.buffer) < length:
            self.more(deadline)
        data = bytes(self.buffer[:length])
        del self.buffer[:length]
        return data

    def receive(self, seconds=None):
        """One message as text; TimeoutError, or ConnectionResetError at the end of the session."""
        deadline = time.monotonic() + (seconds or self.seconds)
        return (self.receive_chunks if self.chunked else self.receive_to_end)(deadline).decode()

    def receive_to_end(self, deadline):
        while (at := self.buffer.find(END_OF_MESSAGE)) < 0:
            self.more(deadline)
        return self.take(at + len(END_OF_MESSAGE), deadline)[:at]

    def receive_chunks(self, deadline):
        message = []
        while True:
            while not (found := CHUNK.match(self.buffer)):
                if self.buffer.startswith(END_OF_CHUNKS):
                    del self.buffer[:len(END_OF_CHUNKS)]
                    return b"".join(message)
                if len(self.buffer) > 13:
                    raise AssertionError(f"no chunk header: {bytes(self.buffer[:40])!r}")
                self.more(deadline)
            length = int(found[1])  # before the buffer changes: the match only refers to it
            del self.buffer[:found.end()]
            message.append(self.take(length, deadline))

    def rpc_message(self, body):
        self.message_id += 1
        return self.framed(f'<rpc xmlns="{BASE}" message-id="{self.message_id}">{body}</rpc>')

    def rpc_text(self, body):
        """Send an rpc with this body, return the reply's text."""
        self.send_raw(self.rpc_message(body))
        return self.reply_text()

    def rpc_texts(self, *bodies):
        """The same of several, sent at once."""
        self.send_raw(b"".join(map(self.rpc_message, bodies)))
        return [self.reply_text() for _ in bodies]

    def reply_text(self):
        while True:
            text = self.receive()
            if not re.match(r"(<\?xml.*?\?>)?\s*<(\w+:)?notification\b", text):
                return text
            self.notifications.append(ET.fromstring(text))

    def rpc(self, body):
        """Send an rpc, return the rpc-reply element; RpcError when it holds errors."""
        reply = ET.fromstring(self.rpc_text(body))
        if errors := errors_of(reply):
            raise RpcError(errors, reply)
        return reply

    def notification(self, seconds=None):
        """The next notification element."""
        if not self.notifications:
            self.notifications.append(ET.fromstring(self.receive(seconds)))
        return self.notifications.pop(0)

    def get(self, filter=""):
        return self.rpc(f"<get>{filter}</get>")

    def get_config(self, source="running", filter=""):
        return self.rpc(f"<get-config><source><{source}/></source>{filter}</get-config>")

    def edit_config(self, config, target="running", options=""):
        return self.rpc(f"<edit-config><target><{target}/></target>{options}"
                        f"<config>{config}</config></edit-config>")

    def commit(self):
        return self.rpc("<commit/>")

    def lock(self, target="running"):
        return self.rpc(f"<lock><target><{target}/></target></lock>")

    def unlock(self, target="running"):
        return self.rpc(f"<unlock><target><{target}/></target></unlock>")


def subtree(inner):
    return f'<filter type="subtree">{inner}</filter>'
