"""Files that packages of the rpm family generate during installation, in addition to those of both families."""

from __future__ import annotations

from oic.provider.firstboot import COMMON, FirstBoot, missing

_HISTORY = "usr/lib/sysimage/tdnf/history.db"
_UTIL = "usr/lib/tdnf/tdnf-history-util"
_MAIL_KEY, _MAIL_CERTIFICATE = "etc/pki/tls/private/postfix.key", "etc/pki/tls/certs/postfix.pem"
_IDENT = "etc/ident.key"

FIRST_BOOT = (
    *COMMON,
    FirstBoot(  # tdnf's %post: it records the time and the packages that are installed in the middle of the transaction
        name="tdnf-history",
        description="Begin the package manager's history",
        files=(_HISTORY,),
        programs=(_UTIL,),
        commands=(f"/{_UTIL} init",),
    ),
    FirstBoot(  # postfix's %post
        name="postfix-key",
        description="Make this machine's own key and certificate for mail",
        files=(_MAIL_KEY, _MAIL_CERTIFICATE),
        programs=("usr/sbin/postfix", "usr/bin/openssl"),
        commands=(
            missing(f"/{_MAIL_KEY}", f"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out /{_MAIL_KEY}"),
            missing(
                f"/{_MAIL_CERTIFICATE}",
                f"openssl req -new -x509 -key /{_MAIL_KEY} -sha256 -days 365 -subj /CN=%H -out /{_MAIL_CERTIFICATE}"
                f" && chmod 644 /{_MAIL_CERTIFICATE}",
            ),
        ),
        before=("postfix.service",),
    ),
    FirstBoot(  # authd's %post
        name="ident-key",
        description="Make this machine's own key of the ident daemon",
        files=(_IDENT,),
        programs=("usr/sbin/in.authd", "usr/bin/openssl"),
        commands=(
            missing(
                f"/{_IDENT}",
                f"openssl rand -base64 -out /{_IDENT} 32 && echo CHANGE THE LINE ABOVE TO A PASSPHRASE >> /{_IDENT}"
                f" && chown ident:ident /{_IDENT} && chmod 640 /{_IDENT}",
            ),
        ),
        before=("auth.socket",),
    ),
)
