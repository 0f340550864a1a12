"""The program that an initramfs starts with, `/init`: it finds the medium, and starts the system that is wanted."""

from __future__ import annotations

from oic.image.cpio import LAST
from oic.image.medium import DIRECTORY, LIVE_FILE, MARKER, MODE

SYSTEMD = "/usr/lib/systemd/systemd"
PLACE = "/run/oic/medium"
"""Where the medium is mounted."""
INSTALLER = "oic-installer.target"
"""What systemd of the initramfs reaches when it is to install: see `oic.installer`."""

INIT = f"""#!/bin/sh
# The first program: it finds the medium that the kernel came from, and starts the system here, or the one on it.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
if [ ! -e /{LAST} ]; then
    echo "init: expected memory for the whole system of this medium, found too little: a part of it was unpacked"
    echo "init: give the machine more memory (1 GiB is enough for most media); nothing was started, nothing was written"
    exec sh -i
fi
mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mount -t devtmpfs -o mode=0755,nosuid devtmpfs /dev
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs /run

mode= medium=
read -r line < /proc/cmdline
for word in $line; do
    case $word in
    {MODE}=*) mode=${{word#*=}} ;;
    {MARKER}=*) medium=${{word#*=}} ;;
    esac
done

say() {{ echo "init: $*" > /dev/console; }}

debug() {{
    say "$1; this is a shell"
    exec setsid sh -c 'exec sh -i < /dev/console > /dev/console 2>&1'
}}

# Mount the medium whose marker has the name that the kernel was told.
find_medium() {{
    mkdir -p {PLACE}
    for path in /sys/class/block/*; do
        device=/dev/${{path##*/}}
        case $device in /dev/loop* | /dev/ram* | /dev/zram*) continue ;; esac
        [ "$(blkid -o value -s TYPE "$device" 2> /dev/null)" = iso9660 ] || continue
        mount -t iso9660 -o ro,nosuid,nodev "$device" {PLACE} 2> /dev/null || continue
        [ -e "{PLACE}/{DIRECTORY}/$medium" ] && return 0
        umount {PLACE}
    done
    return 1
}}

[ "$mode" != debug ] || debug "started by the menu"
[ -n "$medium" ] || exec {SYSTEMD}

modprobe -a -q cdrom sr_mod usb_storage uas isofs loop squashfs overlay
{SYSTEMD}-udevd --daemon
udevadm trigger --type=subsystems --action=add
udevadm trigger --type=devices --action=add
seconds=0
until udevadm settle --timeout=10; find_medium; do
    seconds=$((seconds + 1))
    [ $seconds -lt 60 ] || debug "the medium was not found among $(cd /sys/class/block && echo *)"
    sleep 1
done
udevadm control --exit

[ "$mode" != unattended ] || exec {SYSTEMD} --unit={INSTALLER}
[ "$mode" = live ] || exec {SYSTEMD}

mkdir -p /run/oic/system /run/oic/memory /sysroot
mount -t squashfs -o ro,loop {PLACE}/{DIRECTORY}/{LIVE_FILE} /run/oic/system || debug "the live system cannot be read"
mount -t tmpfs -o mode=0755 tmpfs /run/oic/memory
mkdir /run/oic/memory/upper /run/oic/memory/work
layers=lowerdir=/run/oic/system,upperdir=/run/oic/memory/upper,workdir=/run/oic/memory/work
mount -t overlay -o "$layers" overlay /sysroot || debug "the live system cannot be laid over with memory"
echo "# The system runs from a medium: no partition of the disk is mounted." > /sysroot/etc/fstab
exec switch_root /sysroot /sbin/init
"""
