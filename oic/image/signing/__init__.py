"""Signing for UEFI Secure Boot: programs, the certificate that vouches for them, and what enrols it."""
