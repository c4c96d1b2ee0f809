"""Data trees of linux-l2tpv3 in libyang, as little of its C interface as an oracle needs.

Nodes and trees are plain pointers, 0 for none; a path is libyang's, such as
/linux-l2tpv3:l2tpv3/tunnel[tunnel-id='1']/mtu. Whoever makes a tree frees it.
"""
import ctypes
import re
from ctypes import POINTER, byref, c_char_p, c_int, c_uint32, c_void_p

from .oracle import CHECKOUT, IETF, MODULE

LIBRARY = "libyang.so.2"
TOP = "/linux-l2tpv3:l2tpv3"
STORE_LAST = 6
XML, PRINT_SIBLINGS, PRINT_SHRINK = 1, 1, 2
DUP_RECURSIVE, DUP_WITH_FLAGS = 1, 8
VALIDATE_NO_STATE = 1
PLACE = re.compile(r'[Dd]ata location "([^"]*)"')


def load():
    library = ctypes.CDLL(LIBRARY)
    pointers = POINTER(c_void_p)
    for name, result, *arguments in (
            ("ly_ctx_new", c_int, c_char_p, c_uint32, pointers),
            ("ly_ctx_set_searchdir", c_int, c_void_p, c_char_p),
            ("ly_ctx_load_module", c_void_p, c_void_p, c_char_p, c_char_p, c_void_p),
            ("ly_log_options", c_uint32, c_uint32),
            ("ly_errmsg", c_char_p, c_void_p),
            ("ly_errpath", c_char_p, c_void_p),
            ("lyd_find_path", c_int, c_void_p, c_char_p, c_int, pointers),
            ("lyd_new_path", c_int, c_void_p, c_void_p, c_char_p, c_char_p, c_uint32, pointers),
            ("lyd_dup_siblings", c_int, c_void_p, c_void_p, c_uint32, pointers),
            ("lyd_validate_all", c_int, pointers, c_void_p, c_uint32, c_void_p),
            ("lyd_print_mem", c_int, POINTER(c_char_p), c_void_p, c_int, c_uint32),
            ("lyd_free_tree", None, c_void_p), ("lyd_free_all", None, c_void_p)):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class Refused(Exception):
    """What libyang says of data, and the path of the node it says it of."""

    def __init__(self, message, path):
        self.message, self.path = message, path
        super().__init__(f"{path}: {message}")


class Yang:
    """A context with the module in it."""

    def __init__(self):
        self.library, self.context = load(), c_void_p()
        self.library.ly_log_options(STORE_LAST)
        assert not self.library.ly_ctx_new(str(MODULE.parent).encode(), 0, byref(self.context))
        assert not self.library.ly_ctx_set_searchdir(self.context, str(IETF).encode())
        assert self.library.ly_ctx_load_module(self.context, b"linux-l2tpv3", None, None), self.refused()

    def refused(self):
        message = (self.library.ly_errmsg(self.context) or b"").decode()
        place = PLACE.search((self.library.ly_errpath(self.context) or b"").decode())
        return Refused(message, place[1] if place else "")


class Tree:
    """The container l2tpv3 and all in it."""

    def __init__(self, yang, root=None):
        self.yang, self.library = yang, yang.library
        self.root = root or c_void_p()
        if not self.root:
            self.put(TOP)

    def free(self):
        self.library.lyd_free_all(self.root)
        self.root = c_void_p()

    def copy(self):
        """With libyang's notes on what is new."""
        root = c_void_p()
        assert not self.library.lyd_dup_siblings(self.root, None, DUP_RECURSIVE | DUP_WITH_FLAGS,
                                                 byref(root))
        return Tree(self.yang, root)

    def find(self, path):
        node = c_void_p()
        failed = self.library.lyd_find_path(self.root, path.encode(), 0, byref(node))
        return None if failed else node

    def put(self, path, value=None):
        """A new node with its parents; Refused when the value is none of its type's."""
        made = c_void_p()
        value = None if value is None else value.encode()
        if self.library.lyd_new_path(self.root, self.yang.context, path.encode(), value, 0, byref(made)):
            raise self.yang.refused()
        self.root = self.root or made

    def drop(self, path):
        if node := self.find(path):
            self.library.lyd_free_tree(node)

    def clear(self):
        self.free()
        self.put(TOP)

    def validate(self):
        """Also drops what a "when" or another case of its choice no longer lets stand."""
        if self.library.lyd_validate_all(byref(self.root), self.yang.context, VALIDATE_NO_STATE, None):
            raise self.yang.refused()

    def text(self):
        """XML of what is set; defaults are not."""
        text = c_char_p()
        self.library.lyd_print_mem(byref(text), self.root, XML, PRINT_SIBLINGS | PRINT_SHRINK)
        shown = (text.value or b"").decode()
        ctypes.CDLL(None).free(text)
        return shown
