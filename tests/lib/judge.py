"""libyang in this process, as the judge of every message that the clients of a test run receive, and of each config.xml.

Of each kind of message, by the names and the error-tags in it, the first is parsed strictly: the envelope, what the operation
gives back, and the data, whose values must be of their types. What a filter leaves out is not missed.
"""
import ctypes
import re
import threading
import xml.etree.ElementTree as ET
from ctypes import POINTER, byref, c_char_p, c_int, c_uint32, c_void_p

from . import oracle
from .libyang import load
from .netconf import BASE

XML = 1
RPC, NOTIFICATION, REPLY = 4, 5, 6  # enum lyd_type
PARSE_ONLY, STRICT, NO_STATE_DATA = 0x010000, 0x020000, 0x080000
VALIDATE_CONFIG = 0x0001 | 0x0002  # no state, and only of modules of which there is something
SNAPSHOT_MAX = 1 << 18  # larger ones take libyang seconds
NAMES = re.compile(r"<([A-Za-z][\w.:-]*)|<error-(?:tag|app-tag)>([^<]*)")
DATA = re.compile(r"<data(?: [^>]*)?>(.*)</data>", re.S)
CONFIG = re.compile(r"<config [^>]*>(.*)</config>", re.S)
CLOSE, GET = "<close-session/>", "<get/>"  # any rpc may be answered as these: by <ok/>, errors or data
MODULES = [*oracle.MODULES, oracle.NOTIFICATIONS, oracle.IETF / "ietf-netconf-partial-lock@2009-10-19.yang"]


class Judge:
    def __init__(self):
        self.library, self.context = load(), c_void_p()
        self.known, self.lock = set(), threading.Lock()  # tests have threads
        for name, arguments in (
                ("ly_in_new_memory", (c_char_p, POINTER(c_void_p))),
                ("lyd_parse_op", (c_void_p, c_void_p, c_void_p, c_int, c_int, POINTER(c_void_p), POINTER(c_void_p))),
                ("lyd_parse_data_mem", (c_void_p, c_char_p, c_int, c_uint32, c_uint32, POINTER(c_void_p)))):
            function = getattr(self.library, name)
            function.restype, function.argtypes = c_int, arguments
        self.library.ly_in_free.argtypes = (c_void_p, c_int)
        self.library.ly_in_free.restype = None
        assert not self.library.ly_ctx_new(None, 0, byref(self.context))
        for folder in (oracle.MODULE.parent, oracle.LIBYANG, oracle.IETF, oracle.DERIVED, oracle.NETCONFCENTRAL):
            assert not self.library.ly_ctx_set_searchdir(self.context, str(folder).encode())
        features = (c_char_p * 2)(b"*", None)
        for path in MODULES:
            name, _, revision = path.stem.partition("@")
            assert self.library.ly_ctx_load_module(self.context, name.encode(), revision.encode() or None, features), \
                f"{name}: {self.said()}"

    def said(self):
        return ((self.library.ly_errmsg(self.context) or b"") + b" at " + (self.library.ly_errpath(self.context) or b"")).decode()

    def parse(self, text, kind, request=None):
        """An operation's tree and its envelope; the caller frees both."""
        octets, source, envelope, operation = text.encode(), c_void_p(), c_void_p(), c_void_p()  # octets stay meanwhile
        assert not self.library.ly_in_new_memory(octets, byref(source))
        failed = self.library.lyd_parse_op(self.context, request, source, XML, kind, byref(envelope),
                                           None if kind == REPLY else byref(operation))
        self.library.ly_in_free(source, 0)
        return failed, operation, envelope

    def free(self, *trees):
        for tree in trees:
            self.library.lyd_free_all(tree)

    def data(self, text, options=PARSE_ONLY | STRICT, validate=0):
        tree = c_void_p()
        failed = self.library.lyd_parse_data_mem(self.context, text.encode(), XML, options, validate, byref(tree))
        self.free(tree)
        assert not failed, f"libyang: {self.said()}\n{text[:3000]}"

    def request(self, body):
        """As the reply needs it; what is sent may be wrong on purpose."""
        failed, operation, envelope = self.parse(f'<rpc xmlns="{BASE}" message-id="1">{body}</rpc>', RPC)
        if not failed:
            return operation, envelope
        self.free(operation, envelope)
        return None

    def reply(self, text, body):
        operation, envelope = (body and self.request(body)) or self.request(GET if "<data" in text else CLOSE)
        failed, _, reply = self.parse(text, REPLY, operation)
        said = self.said()
        self.free(reply, operation, envelope)
        assert not failed, f"libyang: {said}\nto {body}\n{text[:3000]}"
        inner = DATA.search(text)
        if inner and inner[1].lstrip().startswith("<"):
            self.data(inner[1])

    def notification(self, text):
        failed, operation, envelope = self.parse(text, NOTIFICATION)
        said = self.said()
        self.free(operation, envelope)
        assert not failed, f"libyang: {said}\n{text[:3000]}"

    def snapshot(self, text):
        """A configuration file: all of it must hold."""
        kind = frozenset(NAMES.findall(text))
        if kind not in self.known and len(text) < SNAPSHOT_MAX:
            self.known.add(kind)
            inner = CONFIG.search(text)  # around several containers
            with self.lock:
                self.data(inner[1] if inner else text, STRICT | NO_STATE_DATA, VALIDATE_CONFIG)

    def message(self, text, requests):
        """One that came; @requests: the body by message-id."""
        kind = frozenset(NAMES.findall(text))
        if kind in self.known:
            return
        self.known.add(kind)
        # libyang has the attribute `default` in the namespace of the module, not in that of RFC 6243
        text = text.replace("urn:ietf:params:xml:ns:netconf:default:1.0", "urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults")
        root = ET.fromstring(text)
        with self.lock:
            if root.tag.endswith("}notification"):
                self.notification(text)
            elif root.tag.endswith("}rpc-reply"):
                self.reply(text, requests.get(root.get("message-id")))
