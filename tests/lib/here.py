"""In place of a network namespace: for tests on the simulated kernel, which need none, nor root."""
import subprocess


class Here:
    name = None

    def run(self, *command, check=True, **kwargs):
        done = subprocess.run(list(map(str, command)), text=True, capture_output=True, **kwargs)
        assert not check or done.returncode == 0, done.stderr
        return done

    def popen(self, *command, **kwargs):
        return subprocess.Popen(list(map(str, command)), **kwargs)
