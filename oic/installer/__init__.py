"""The program that installs an image from the medium onto a disk, without a person.

It runs in the installer's own system, booted from the medium, and not where images are built: its files are copied into
that system one by one, as the package ``oic_installer``. Therefore:

* Modules import Python's standard library (3.11 or later) and each other, relatively; nothing of the rest of oic.
* Other programs are started by `door` alone: zstd, sfdisk, wipefs, blkid, e2fsck, resize2fs, xfs_growfs, btrfs, mount,
  umount, chroot, efibootmgr, systemctl.

::

    firmware ─> answers ─> disk ─> payload checked ─> memory ─> │ wiped ─> table ─> file systems ─> grown ─> settings
                                       nothing is written before │ ─> boot partitions, boot code ─> firmware's entry

* Nothing is written before all of the payload was found as the build recorded it.
* What makes the disk boot is written last: a disk whose installation was interrupted does not boot. See `marker`.
* A disk is erased only if the answers or the recipe lead to it: see `choice`.
"""
