"""Prometheus and its exporters, each of a test's own, on ports of this machine."""
import json
import re
import socket
import urllib.error
import urllib.parse
import urllib.request

from .daemons import CHECKOUT, Process
from .here import Here, free_port

DOCS = CHECKOUT / "docs" / "nms"
PROGRAMS = ("prometheus", "promtool", "prometheus-snmp-exporter", "prometheus-node-exporter")


def fetch(url):
    with urllib.request.urlopen(url, timeout=60) as reply:
        return reply.read().decode()


class WebServer(Process):
    """A program that serves HTTP, and is ready when it answers at `path`."""

    def __init__(self, folder, name, *words, path="/"):
        super().__init__(Here(), folder, name)
        self.port = free_port(socket.SOCK_STREAM)
        self.address = f"127.0.0.1:{self.port}"
        self.path = path
        self.argv = [name, f"--web.listen-address={self.address}", *words]

    def answers(self):
        try:
            return fetch(f"http://{self.address}{self.path}") is not None
        except urllib.error.HTTPError:
            return False

    def start(self):
        self.launch(self.argv, self.answers)
        return self


class SnmpExporter(WebServer):
    def __init__(self, folder, config=DOCS / "snmp.yml"):
        super().__init__(folder, "prometheus-snmp-exporter", f"--config.file={config}")

    def scrape(self, target, module="l2tpv3"):
        return fetch(f"http://{self.address}/snmp?{urllib.parse.urlencode({'target': target, 'module': module})}")


class NodeExporter(WebServer):
    """With the textfile collector and nothing else."""

    def __init__(self, folder, textfiles):
        super().__init__(folder, "prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
                         f"--collector.textfile.directory={textfiles}", path="/metrics")


class Prometheus(WebServer):
    """With docs/nms/prometheus.yml, for this router: scraped each second."""

    def __init__(self, folder, agent, snmp_exporter, node_exporter):
        config = (DOCS / "prometheus.yml").read_text()
        for old, new in (("router.example.net:9100", node_exporter), ("router.example.net", agent),
                         ("127.0.0.1:9116", snmp_exporter)):
            assert config.count(old) == 1 or old == "router.example.net"
            config = config.replace(old, new)
        config = re.sub(r"(scrape_interval|scrape_timeout): \w+", r"\1: 1s", config)
        folder.mkdir(exist_ok=True)
        (folder / "prometheus.yml").write_text(config)
        (folder / "alerts.yml").write_text((DOCS / "alerts.yml").read_text())
        super().__init__(folder, "prometheus", f"--config.file={folder}/prometheus.yml",
                         f"--storage.tsdb.path={folder}/data", path="/-/ready")

    def ask(self, what, **parameters):
        return json.loads(fetch(f"http://{self.address}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"))["data"]

    def query(self, expression):
        """[({label: value}, number)]"""
        data = self.ask("query", query=expression)
        found = data["result"] if data["resultType"] == "vector" else [{"metric": {}, "value": data["result"]}]
        return [(one["metric"], float(one["value"][1])) for one in found]
