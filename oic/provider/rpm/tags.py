"""The numbers of the rpm tags that are read, by their names in rpm's ``rpmtag.h``. Other tags are not read."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Sig(IntEnum):
    """Tags of the signature header. Those below 1000 cover the header, the others header and payload."""

    REGION = 62
    DSA = 267
    RSA = 268
    SHA1 = 269
    LONG_SIZE = 270
    SHA256 = 273
    OPENPGP = 278
    SIZE = 1000
    PGP = 1002
    GPG = 1005


class Tag(IntEnum):
    """Tags of the main header."""

    REGION = 63
    NAME = 1000
    VERSION = 1001
    RELEASE = 1002
    EPOCH = 1003
    BUILD_TIME = 1006
    ARCHITECTURE = 1022
    PREIN = 1023
    POSTIN = 1024
    FILE_SIZES = 1028
    FILE_MODES = 1030
    FILE_MTIMES = 1034
    FILE_DIGESTS = 1035
    FILE_LINKS = 1036
    FILE_FLAGS = 1037
    FILE_USERS = 1039
    FILE_GROUPS = 1040
    FILE_DEVICES = 1095
    FILE_INODES = 1096
    SOURCE_PACKAGE = 1106
    DIRECTORY_INDEXES = 1116
    BASE_NAMES = 1117
    DIRECTORY_NAMES = 1118
    PAYLOAD_FORMAT = 1124
    PAYLOAD_COMPRESSOR = 1125
    PRETRANS = 1151
    POSTTRANS = 1152
    LONG_FILE_SIZES = 5008
    FILE_DIGEST_ALGORITHM = 5011
    PAYLOAD_SHA256 = 5092
    """Always sha256. Tag 5093 named the algorithm, but is obsolete: rpm 6 does not write it, and no rpm reads it."""


HASHES = {8: "sha256", 9: "sha384", 10: "sha512"}
"""The accepted hash algorithms by their OpenPGP numbers (RFC 4880 section 9.4), which rpm uses for digests too."""
WEAK_HASHES = {1: "md5", 2: "sha1", 3: "ripemd160"}
"""Weak algorithms; errors name them."""


class RelationTags(NamedTuple):
    """The tags of one kind of relation: names, versions and flags, each a list of one length."""

    names: int
    versions: int
    flags: int


RELATIONS = {
    "provides": RelationTags(1047, 1113, 1112),
    "requires": RelationTags(1049, 1050, 1048),
    "conflicts": RelationTags(1054, 1055, 1053),
    "obsoletes": RelationTags(1090, 1115, 1114),
    "recommends": RelationTags(5046, 5047, 5048),
    "suggests": RelationTags(5049, 5050, 5051),
    "supplements": RelationTags(5052, 5053, 5054),
    "enhances": RelationTags(5055, 5056, 5057),
}
"""The relations of a package, by their names in primary."""
