"""A root of its own for a manual's commands: what is installed here, but nothing of what is done in it stays.

An overlay over / in a mount and a network namespace; no systemd runs there, so `systemctl` is a script that
does what the units of snmpd, snmptrapd, ssh and l2tpv3d say, the last on the simulated kernel or the real one. Packages
are not fetched: `apt-get install` fails when one is not there.
"""
import subprocess

SET_UP = r"""
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --rbind /dev "$1/root/dev"
mount -t proc proc "$1/root/proc"
mount -t tmpfs tmpfs "$1/root/run"
ip link set lo up
exec chroot "$1/root" /bin/bash -s
"""

SYSTEMCTL = r"""#!/bin/bash
# usage: systemctl ACTION UNIT...
action=$1 name=${!#}
if [ $# -gt 2 ] && [ "$2" != --now ]; then
	shift
	for name; do "$0" "$action" "$name" || exit; done
	exit
fi
[ "$action" != enable ] || action=start
[ "$action" != daemon-reload ] || exit 0
unit=$(ls /lib/systemd/system/$name.service /usr/local/lib/systemd/system/$name.service 2>/dev/null | head -n 1)
[ -n "$unit" ] || { echo "Unit $name.service could not be found." >&2; exit 5; }
log=/var/log/$name.log

wait_for() { # what...: until it succeeds
	for _ in $(seq 2400); do "$@" && return; sleep 0.05; done
	echo "$name: not within two minutes: $*" >&2; cat "$log" >&2; exit 1
}
gone() { ! kill -0 "$(cat /run/$name.pid)" 2>/dev/null; }
connected() { [ "$(grep -c 'connected to the AgentX master' /var/log/l2tpv3d.log)" -gt "${connections:-0}" ]; }

if [ "$action" != start ] && [ -e /run/$name.pid ]; then
	kill "$(cat /run/$name.pid)"
	wait_for gone
	rm /run/$name.pid
fi
[ "$action" != stop ] || exit 0
[ ! -e /var/log/l2tpv3d.log ] || connections=$(grep -c 'connected to the AgentX master' /var/log/l2tpv3d.log)
command=$(sed -n 's/^ExecStart=//p' "$unit")
for folder in $(sed -n 's/^RuntimeDirectory=//p' "$unit"); do mkdir -p /run/$folder; done
: >"$log"
if [ $name = l2tpv3d ]; then
	install -d -o l2tpv3d -g l2tpv3d -m 750 /run/l2tpv3d
	install -d -o l2tpv3d -g l2tpv3d -m 700 /var/lib/l2tpv3d
	command="setpriv --reuid l2tpv3d --regid l2tpv3d --init-groups --inh-caps=+net_admin,+net_raw
		--ambient-caps=+net_admin,+net_raw $command --kernel $L2TPV3D_KERNEL"
fi
if [ $name = ssh ]; then
	mkdir -p /run/sshd
	command="/usr/sbin/sshd -D"
fi
$command >>"$log" 2>&1 </dev/null &
echo $! >/run/$name.pid
case $name in
l2tpv3d) wait_for grep -q ready "$log" ;;
snmpd) wait_for grep -q ':00A1 ' /proc/net/udp ;;
ssh) wait_for grep -q ':0016 ' /proc/net/tcp ;;
snmptrapd) wait_for grep -q ':00A2 ' /proc/net/udp ;;
esac
[ $name != snmpd ] || [ ! -e /run/l2tpv3d.pid ] || wait_for connected
"""

APT_GET = r"""#!/bin/bash
for word; do
	case $word in
	install | update | -*) ;;
	*) dpkg-query -W "$word" >/dev/null || exit 1 ;;
	esac
done
"""


def missing():
    """Why there can be none here, or None."""
    done = subprocess.run(["unshare", "-mn", "sh", "-c", "mount -t tmpfs tmpfs /mnt && cd /mnt && mkdir u w r && mount -t overlay "
                           "overlay -o lowerdir=/,upperdir=u,workdir=w r"], capture_output=True, text=True)
    return done.stderr.strip() or f"status {done.returncode}" if done.returncode else None


def stub(name, text):
    """Lines that put a program of this name in front of the system's."""
    return f"cat >/usr/local/sbin/{name} <<'END_OF_STUB'\n{text}END_OF_STUB\nchmod 755 /usr/local/sbin/{name}\n"


def run(folder, script, kernel="sim"):
    """The script by bash, at first in /root. What it started is ended with it."""
    head = ("export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "
            f"L2TPV3D_KERNEL={kernel}\ncd /root\n" + stub("systemctl", SYSTEMCTL) + stub("apt-get", APT_GET))
    return subprocess.run(["unshare", "-mnpf", "--kill-child", "sh", "-c", SET_UP, "sh", folder], input=head + script,
                          capture_output=True, text=True, timeout=900)
