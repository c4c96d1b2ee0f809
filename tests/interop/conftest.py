"""Have every message that a client receives judged by libyang (lib/judge.py), if that is here."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import netconf, oracle  # noqa: E402

if not oracle.missing():
    from lib.judge import Judge  # noqa: E402
    netconf.Netconf.judge = Judge()
