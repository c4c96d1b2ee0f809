"""Polls pseudowires as Observium does (CE 2025-07, includes/discovery/pseudowires/pw-std-mib.inc.php and
includes/polling/pseudowires.inc.php): the same columns, in the same order, with its conclusions."""
import ipaddress

PW_ENTRY = "1.3.6.1.2.1.10.246.1.2.1"
IF_DESCR, IF_NAME = "1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.31.1.1.1.1"
DISCOVERED = {"pwID": 12, "pwRowStatus": 44, "pwName": 32, "pwType": 2, "pwDescr": 33, "pwPsnType": 4,
              "pwPeerAddrType": 8, "pwPeerAddr": 9, "pwOutboundLabel": 30, "pwInboundLabel": 31,
              "pwRemoteIfString": 24}
POLLED = {"pwOperStatus": 38, "pwLocalStatus": 39, "pwRemoteStatus": 41, "pwUpTime": 35}
ACTIVE, IPV4, IPV6 = 1, 1, 2
EVENTS = {1: "ok", 2: "alert", 3: "warning", 4: "ok", 5: "exclude", 6: "alert"}  # of pwOperStatus


def add_columns(manager, columns, rows):
    for name, number in columns.items():
        column = f"{PW_ENTRY}.{number}"
        for oid, value in manager.bulk_walk(column).items():
            rows.setdefault(int(oid.removeprefix(column + ".")), {})[name] = value


def discover(manager):
    """{pwIndex: {column: value}} of the active rows; nothing where pwID is not served."""
    rows = {}
    for name, number in DISCOVERED.items():
        add_columns(manager, {name: number}, rows)
        if not rows:
            return {}
    active = {index: row for index, row in rows.items() if row["pwRowStatus"] == ACTIVE}
    for row in active.values():
        if row["pwPeerAddrType"] in (IPV4, IPV6):
            row["peer"] = str(ipaddress.ip_address(row["pwPeerAddr"]))
    return active


def poll(manager, rows):
    """What it shows of the rows that it discovered: {pwIndex: {column: value}}, with the event."""
    polled = {}
    add_columns(manager, POLLED, polled)
    for row in polled.values():
        row["event"] = EVENTS[row["pwOperStatus"]]
    return {index: row for index, row in polled.items() if index in rows}


def ports(manager, rows):
    """{pwIndex: ifIndex}: the port whose ifDescr or ifName is the pwName."""
    names = {}
    for column in (IF_NAME, IF_DESCR):
        for oid, value in manager.bulk_walk(column).items():
            names[value] = int(oid.removeprefix(column + "."))
    return {index: names[row["pwName"]] for index, row in rows.items() if row["pwName"] in names}
