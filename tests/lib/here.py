"""In place of a network namespace: for tests on the simulated kernel, which need none, nor root."""
import socket
import subprocess


class Here:
    name = None

    def run(self, *command, check=True, **kwargs):
        done = subprocess.run(list(map(str, command)), text=True, capture_output=True, **kwargs)
        assert not check or done.returncode == 0, done.stderr
        return done

    def popen(self, *command, **kwargs):
        return subprocess.Popen(list(map(str, command)), **kwargs)


def free_port(kind):
    """A port of this machine's own that nobody has now: other runs may go on beside this one."""
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
