"""The deb family, against dpkg, apt and gpg."""
