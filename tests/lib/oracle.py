"""yanglint as a second opinion on every rpc and reply, and on the data inside."""
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .netconf import BASE, Netconf

CHECKOUT = Path(__file__).resolve().parents[2]
IETF = Path("/usr/share/yuma/modules/ietf")
BASE_MODULE = IETF / "ietf-netconf@2011-06-01.yang"
MODULE = next((CHECKOUT / "yang").glob("linux-l2tpv3@*.yang"))
DERIVED, NETCONFCENTRAL = (Path("/usr/share/yuma/modules") / name for name in ("ietf-derived", "netconfcentral"))
LIBYANG = Path("/usr/share/yang/modules/libyang")
FOLDERS = [word for folder in (LIBYANG, IETF, DERIVED, NETCONFCENTRAL) for word in ("-p", folder)]
NOTIFICATIONS = IETF / "ietf-netconf-notifications@2012-02-06.yang"
# Those of which a get without a filter has data.
MODULES = (BASE_MODULE, IETF / "ietf-netconf-monitoring@2010-10-04.yang", LIBYANG / "ietf-yang-library@2019-01-04.yang",
           LIBYANG / "ietf-datastores@2018-02-14.yang", DERIVED / "nc-notifications.yang",
           LIBYANG / "ietf-datastores@2018-02-14.yang", IETF / "ietf-netconf-with-defaults@2011-06-01.yang",
           IETF / "ietf-origin@2018-02-14.yang", IETF / "ietf-netconf-nmda@2019-01-07.yang",
           IETF / "ietf-netconf-acm@2018-02-14.yang", MODULE, next((CHECKOUT / "yang").glob("linux-l2tpv3-netconf@*.yang")))


def missing():
    """What it lacks to work here, or nothing."""
    if not shutil.which("yanglint"):
        return "yanglint is not installed (Debian: libyang2-tools)"
    if not BASE_MODULE.exists():
        return "the IETF modules are not installed (Debian: libyuma-base)"
    return ""


def yanglint(kind, text, *more):
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(text)
        file.flush()
        done = subprocess.run(["yanglint", *FOLDERS, "-t", kind, *more, *MODULES, file.name], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, f"{kind}: {done.stderr}\n{text[:2000]}"


def notification(text, data=None):
    """One that a client got.  Its instance-identifiers must be of something in the data; without any they are left out.
    libyang warns of a `when` in RFC 6470's own module: it names a node that is not there."""
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file, tempfile.NamedTemporaryFile("w", suffix=".xml") as rest:
        file.write(text if data else re.sub("<target>.*?</target>", "", text))
        file.flush()
        rest.write(data or "")
        rest.flush()
        done = subprocess.run(["yanglint", *FOLDERS, "-t", "nc-notif", *(["-O", rest.name] if data else []), *MODULES,
                               NOTIFICATIONS, file.name], capture_output=True, text=True)
    others = [line for line in done.stderr.splitlines() if 'Schema node "confirm-event" for parent "<root>"' not in line]
    assert done.returncode == 0 and not others, f"{done.stderr}\n{text[:2000]}"


class CheckedNetconf(Netconf):
    """A client that has every reply checked, as RFC 6241 and the module want it."""

    def rpc_text(self, body):
        reply = super().rpc_text(body)
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as rpc:
            # What is sent may be wrong on purpose: any valid rpc has the replies <ok/> and <rpc-error>.
            good = body if "<data>" in reply else "<close-session/>"
            rpc.write(f'<rpc xmlns="{BASE}" message-id="{self.message_id}">{good}</rpc>')
            rpc.flush()
            yanglint("nc-reply", reply, "-R", rpc.name)
        data = re.search(r"<data>(.*)</data>", reply, re.S)
        if data and data[1]:
            yanglint("get" if body.startswith("<get>") or body == "<get/>" else "getconfig", data[1])
        return reply
