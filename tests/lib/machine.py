"""Boot a kernel in QEMU on the host's own root file system, which it sees but cannot change."""
import ctypes
import lzma
import os
import shlex
import signal
import stat
import subprocess
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PORTS = 4  # how many commands can run at once in one guest
BOOT_SECONDS = 180  # about 10 on an idle machine; under load TCG is slow
MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_console", "virtio_rng")
MOUNT_9P = "mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144"

# Process 1 itself enters the new root: the kernel looks for modprobe in the root of its threads,
# which is that of process 1, and module autoload is a thing to be tested.
# bash reads .bashrc for each command that comes by ssh, and this machine's may do a lot.
# The checkout is mounted a second time: without cache where what is built on the host while the guest
# runs has to be what runs in the guest. That makes each start of one of our programs some times as dear.
INIT = """#!/bin/busybox sh
set -e
export PATH=/bin
/bin/busybox mkdir -p /proc /sys /low /up /new
/bin/busybox --install -s /bin
mount -t proc proc /proc
{insmod}
{mount_9p},cache=loose,ro root /low
mount -t tmpfs -o mode=755 tmpfs /up
mkdir /up/data /up/work
mount -t overlay -o lowerdir=/low,upperdir=/up/data,workdir=/up/work overlay /new
mount -t proc proc /new/proc
mount -t sysfs sysfs /new/sys
mount -t debugfs debugfs /new/sys/kernel/debug
mount -t devtmpfs devtmpfs /new/dev
mkdir -p /new/dev/pts /new/dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /new/dev/pts
for place in dev/shm tmp run; do mount -t tmpfs -o mode=1777 tmpfs /new/$place; done
chmod 755 /new/run
mkdir -p /new/lib/modules/{release} /new/run/out /new/run/lock /new/run/sshd /new{checkout}
{mount_9p},cache=loose,ro modules /new/lib/modules/{release}
{mount_9p},cache={cache},ro checkout /new{checkout}
{mount_9p},cache=none out /new/run/out
rm -f /new/root/.bashrc
hostname l2tp
ip link set lo up
umount /proc
exec switch_root /new /usr/bin/python3 -B {checkout}/tests/vm/agent
"""


def cpio_entry(name, mode, data=b""):
    path = name.encode() + b"\0"
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
    entry = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    entry += b"\0" * (-len(entry) % 4) + data
    return entry + b"\0" * (-len(entry) % 4)


def needed_modules(kernel, release):
    """The module files behind MODULES in loading order; built-in ones have none."""
    files = []
    for module in MODULES:
        shown = subprocess.run(["modprobe", "-d", kernel, "-S", release, "--show-depends", module],
                               check=True, text=True, capture_output=True).stdout
        files += [line.split()[1] for line in shown.splitlines() if line.startswith("insmod")]
    return list(dict.fromkeys(files))


def initramfs(kernel, release, follow):
    archive = cpio_entry("bin", stat.S_IFDIR | 0o755) + cpio_entry("m", stat.S_IFDIR | 0o755)
    archive += cpio_entry("dev", stat.S_IFDIR | 0o755)
    archive += cpio_entry("bin/busybox", stat.S_IFREG | 0o755, Path("/bin/busybox").read_bytes())
    insmod = []
    for path in needed_modules(kernel, release):
        data = Path(path).read_bytes()
        name = "m/" + Path(path).name.removesuffix(".xz")
        archive += cpio_entry(name, stat.S_IFREG | 0o644,
                              lzma.decompress(data) if path.endswith(".xz") else data)
        insmod.append(f"insmod /{name}")
    script = INIT.format(insmod="\n".join(insmod), mount_9p=MOUNT_9P, release=release,
                         cache="none" if follow else "loose", checkout=shlex.quote(str(CHECKOUT)))
    archive += cpio_entry("init", stat.S_IFREG | 0o755, script.encode())
    return archive + cpio_entry("TRAILER!!!", 0)


def share(tag, path, readonly):
    return ["-fsdev", f"local,id={tag},path={path},security_model=none,multidevs=remap"
                      + (",readonly=on" if readonly else ""),
            "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]


def qemu_command(kernel, release, memory, out):
    command = [
        # Never chosen by looking: /dev/kvm may exist and hang the guest in its firmware.
        "qemu-system-x86_64", "-accel", os.environ.get("L2TPV3D_VM_ACCEL", "tcg,thread=multi"),
        # A fifth level of page tables only costs time.
        "-cpu", "max,la57=off", "-m", str(memory), "-smp", "2",
        "-nodefaults", "-display", "none", "-no-reboot",
        *shlex.split(os.environ.get("L2TPV3D_VM_QEMU", "")),
        "-serial", "file:console.log", "-kernel", f"{kernel}/boot/vmlinuz", "-initrd", "initrd",
        "-append", "console=ttyS0 quiet panic=-1 oops=panic mitigations=off "
        # A busy host makes the emulated timer late: that is no fault of the board or the TSC, which the
        # kernel would look for until it gives up, or have the slow HPET instead.
        "no_timer_check tsc=reliable",
        "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
        *share("root", "/", True), *share("modules", f"{kernel}/lib/modules/{release}", True),
        *share("checkout", CHECKOUT, True), *share("out", out, False)]
    for port in range(PORTS):
        # A relative path, because a socket's path may have no more than 107 characters.
        command += ["-chardev", f"socket,id=port{port},path=port{port},server=on,wait=off",
                    "-device", f"virtserialport,chardev=port{port},name=port{port},nr={port + 1}"]
    return command


def die_with_parent():
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(folder, kernel, release, memory, out, background=False):
    """Start QEMU in a folder for its files; returns its Popen once the ports can be connected.
    In the background it outlives its starter, and follows what is built in the checkout."""
    for old in folder.glob("port*"):
        old.unlink()
    (folder / "initrd").write_bytes(initramfs(kernel, release, background))
    with open(folder / "qemu.log", "w") as log:
        qemu = subprocess.Popen(qemu_command(kernel, release, memory, out), cwd=folder,
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                start_new_session=background,
                                preexec_fn=None if background else die_with_parent)
    (folder / "qemu.pid").write_text(str(qemu.pid))
    while not (folder / f"port{PORTS - 1}").exists():
        if qemu.poll() is not None:
            raise OSError(f"qemu failed: {(folder / 'qemu.log').read_text().strip()}")
        time.sleep(0.02)
    return qemu


def console_tail(folder, lines=25):
    text = (folder / "console.log").read_text(errors="replace").splitlines()
    return "\n".join("  | " + line for line in text[-lines:])
