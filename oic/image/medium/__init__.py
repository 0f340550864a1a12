"""A medium that boots: its menu, the program that its initramfs starts with, the ISO itself.

::

    firmware ─ GRUB ─ kernel, initramfs ─ /init ─┬─ systemd of the initramfs: the installer
                                                 └─ root.squashfs of the medium: the live system
"""

MODE, MARKER = "oic.mode", "oic.medium"
"""Words of the kernel's command line: what the initramfs is to do, and the name of a file that its medium has."""
DIRECTORY = "oic"
"""Where on the medium all is that its initramfs reads."""
LIVE_FILE = "live.squashfs"
