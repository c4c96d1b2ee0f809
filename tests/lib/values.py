"""Values to try for a row of the mapping table, from its type and limits alone.

A value is its text as YANG writes it, or octets that are no text. `stored` is its canonical form
when the row takes it, None when the row refuses it; `shell` is what l2tpv3ctl makes of it where
its spelling is wider than YANG's, as that of ip l2tp is.
"""
from dataclasses import dataclass



@dataclass
class Value:
    name: str
    text: object            # str or bytes
    stored: str = None
    shell: str = None

    def __str__(self):
        return self.name


def good(name, text, stored=None):
    return Value(name, text, text if stored is None else stored)


def bad(name, text, shell=None):
    return Value(name, text, None, shell)


JUNK = [bad("empty", ""), bad("text", "bogus"), bad("control", "\t\x7f"), bad("octets", b"\xff\xfe"),
        bad("bell", "1\x07"), bad("wide-digit", "\uff11"), bad("long", "1" * 4000),
        bad("markup", "<&>\"'")]


def number(row):
    small = row.min or 1
    values = [good("minimum", str(row.min)), good("maximum", str(row.max)),
              good("middle", str((row.min + row.max) // 2)),
              bad("below", str(row.min - 1)), bad("above", str(row.max + 1)),
              good("plus", f"+{small}", str(small)), bad("minus", f"-{small}"),
              good("spaces", f" {small}\n", str(small)),
              bad("hexadecimal", hex(row.max), str(row.max)), bad("2^32", str(1 << 32)),
              bad("2^63", str(1 << 63)), bad("2^64", str(1 << 64)), bad("2^64+min", str((1 << 64) + small)),
              bad("fraction", f"{small}.0"), bad("exponent", "1e2"), bad("two", f"{small} {small}")]
    # A leading 0 is decimal in YANG, and octal in the shell, as for ip.
    octal = next(n for n in range(max(row.min, 64), row.max) if "8" not in str(n) and "9" not in str(n)
                 and row.min <= int(str(n), 8) != n)
    values.append(Value("leading-zero", f"0{octal}", str(octal), str(int(str(octal), 8))))
    if row.fallback is not None:
        values.append(good("default", row.fallback))
    return values + JUNK


def boolean(row):
    return [good("true", "true"), good("false", "false"), good("default", row.fallback),
            good("spaces", "\n true ", "true"), bad("one", "1"), bad("capitals", "TRUE"),
            bad("on", "on", "true"), bad("off", "off", "false"), *JUNK]


def enumeration(row):
    names = [word["name"] for word in row.words]
    values = [good(name, name) for name in names]
    values += [bad(f"alias-{alias}", alias, word["name"]) for word in row.words for alias in word["aliases"]]
    return values + [good("spaces", f" {names[0]} ", names[0]), bad("number", "1"),
                     bad("capitals", names[0].upper(), names[0]), bad("cut", names[0][:-1]),
                     bad("two", f"{names[0]} {names[0]}"), *JUNK]


def string(row):
    wide = "\u00e9"
    return [good("empty", ""), good("maximum", "x" * row.max), bad("above", "x" * (row.max + 1)),
            good("wide-maximum", wide * (row.max // 2)), bad("wide-above", wide * (row.max // 2) + "x"),
            good("spaces", "  two  words  "), good("markup", "<&>\"'"), good("astral", "\U0001f600"),
            good("minus", "-1"), bad("tab", "a\tb"), bad("newline", "a\nb"), bad("delete", "a\x7f"),
            bad("c1", "a\x85"), bad("escape", "\x1b[0m"), bad("nul", "a\0b"), bad("octets", b"\xff\xfe"),
            bad("overlong", b"\xc0\xaf"), bad("surrogate", b"\xed\xa0\x80"), bad("long", "y" * 4000)]


def interface(row):
    own = row.leaf[0]  # for an interface that has one row's value can be no port of itself
    return [good("minimum", own), good("maximum", own * row.max), bad("above", own * (row.max + 1)),
            good("plain", f"{own}2tp-x_1.5"), good("number", "1"), good("minus", "-1"),
            good("marks", f"{own}<&>\"'"), bad("empty", ""), bad("space", "a b"), bad("slash", "a/b"),
            bad("colon", "a:b"), bad("percent", "a%d"), bad("dot", "."), bad("dots", ".."),
            bad("all", "all"), bad("reserved", "default"), bad("wide", "\u00e9"), bad("tab", "a\t"),
            bad("delete", "a\x7f"), bad("nul", "a\0b"), bad("octets", b"\xff"), bad("long", "n" * 4000)]


def address(row):
    refused = {"any4": "0.0.0.0", "broadcast": "255.255.255.255", "multicast4": "224.0.0.1",
               "multicast4-last": "239.255.255.255", "any6": "::", "multicast6": "ff02::1",
               "link-local": "fe80::1", "link-local-last": "febf::1", "mapped": "::ffff:192.0.2.7"}
    malformed = {"zone": "fe80::1%lo", "zone-global": "2001:db8::7%1", "prefix": "192.0.2.7/24",
                 "port": "[2001:db8::7]:1701", "five": "192.0.2.7.1", "above": "192.0.2.256",
                 "nine": "1:2:3:4:5:6:7:8:9", "name": "localhost", "minus": "-1",
                 "space": "192.0. 2.7"}
    return [good("ipv4", "192.0.2.7"), good("ipv4-least", "1.0.0.0"), good("loopback4", "127.0.0.1"),
            good("ipv4-reserved", "240.0.0.1"),
            good("ipv6", "2001:db8::7"), good("loopback6", "::1"), good("unique-local", "fd00::7"),
            good("ipv6-long", "2001:0DB8:0:0:0:0:0:7", "2001:db8::7"),
            good("ipv6-full", "1:2:3:4:5:6:7:8"), good("spaces", "\n 192.0.2.7\t", "192.0.2.7"),
            good("after-link-local", "fec0::1"), good("before-multicast", "223.255.255.255"),
            bad("short", "10.1", "10.1.0.0"), bad("leading-zero", "192.0.2.007", "192.0.2.7"),
            bad("hexadecimal", "0xc0.0.2.7", "192.0.2.7"),
            *(bad(name, text) for name, text in {**refused, **malformed}.items()), *JUNK[:1], *JUNK[2:]]


def mac(row):
    return [good("least", "00:00:00:00:00:01"), good("plain", "02:00:5e:10:00:01"),
            good("greatest", "fe:ff:ff:ff:ff:ff"), good("capitals", "0A:BC:DE:F0:12:34", "0a:bc:de:f0:12:34"),
            bad("zero", "00:00:00:00:00:00"), bad("broadcast", "ff:ff:ff:ff:ff:ff"),
            bad("group", "01:00:5e:00:00:01"), bad("five", "02:00:00:00:00"),
            bad("seven", "02:00:00:00:00:00:01"), bad("dashes", "02-00-5e-10-00-01"),
            bad("plain-hex", "02005e100001"), bad("digit", "02:00:5e:10:00:0g"),
            good("spaces", " 02:00:5e:10:00:01\n", "02:00:5e:10:00:01"), bad("minus", "-1"), *JUNK]


def cookie(row):
    octets = "0123456789abcdef0123456789abcdef"
    values = [good(f"octets-{n}", octets[:2 * n]) if n in (0, 4, row.max) else
              bad(f"octets-{n}", octets[:2 * n]) for n in (0, 1, 3, 4, 5, 7, row.max, row.max + 1, 16)]
    return values + [good("capitals", "DEADBEEF", "deadbeef"), good("zeros", "00000000"),
                     good("ones", "f" * 16), bad("digit", "0123456g"), bad("hexadecimal", "0x123456"),
                     bad("odd", "0123456"), bad("minus", "-1234567"), good("spaces", "\n01234567 ", "01234567"), *JUNK[1:]]


MAKERS = {"bool": boolean, "u16": number, "u32": number, "enum": enumeration, "string": string,
          "ifname": interface, "address": address, "mac": mac, "cookie": cookie}


def values_of(row):
    return MAKERS[row.type](row)


def typical(row):
    """One that the row takes and that no door has to mean absence by."""
    return next(value for value in values_of(row) if value.stored not in (None, "", "0", "false"))
