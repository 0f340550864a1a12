"""GRUB, which reads kernel, initramfs and menu from the image's own file systems.

::

    UEFI   firmware ─ EFI/BOOT/BOOTX64.EFI (shim) ─ grubx64.efi ─ grub.cfg of the ESP ─┐
    BIOS   firmware ─ first sector ─ core image ───────────────────────────────────────┴ /boot/grub/grub.cfg ─ kernel
"""
