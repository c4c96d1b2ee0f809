"""What filters select of data, by libxml2: the judge of subtree filters and of XPath."""
import copy

from lxml import etree

from .netconf import BASE, L2TP

PREFIXES = {"l": L2TP, "m": "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring",
            "y": "urn:ietf:params:xml:ns:yang:ietf-yang-library"}
KEYS = {f"{{{L2TP}}}tunnel": 1, f"{{{L2TP}}}session": 1}


def data_of(text):
    """The containers in <data>, as children of a root."""
    reply = etree.fromstring(text.encode())
    assert not reply.findall(f"{{{BASE}}}rpc-error"), text
    return next(child for child in reply if child.tag.endswith("}data"))


def selected_by_libxml2(data, xpath):
    """What shall come out of the data: selected nodes, with what is around them, and keys."""
    container, = data
    whole, around = set(), set()
    root = etree.fromstring(etree.tostring(container)).getroottree()
    found = root.xpath(xpath, namespaces=PREFIXES)
    assert isinstance(found, list)
    for node in found:
        element = node.getparent() if hasattr(node, "getparent") and not etree.iselement(node) else node
        whole.add(element)
        around.update(element.iterancestors())

    def copy_of(element):
        if element in whole:
            return copy.deepcopy(element)
        if element not in around:
            return None
        made = etree.Element(element.tag)
        for at, child in enumerate(element):
            part = copy.deepcopy(child) if at < KEYS.get(element.tag, 0) else copy_of(child)
            if part is not None:
                made.append(part)
        return made
    made = copy_of(root.getroot())
    return [] if made is None else [canonical(made)]


def canonical(element):
    return (element.tag, element.text or "", [canonical(child) for child in element])
