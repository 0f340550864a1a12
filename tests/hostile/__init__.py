"""Mirrors, locks and packages of an attacker, by the real doit: each attack succeeded once."""
