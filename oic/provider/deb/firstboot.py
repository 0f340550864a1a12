"""Files that packages of the deb family generate during installation, in addition to those of both families."""

from __future__ import annotations

from oic.provider.firstboot import COMMON, FirstBoot

FIRST_BOOT = (
    *COMMON,
    FirstBoot(  # ssl-cert's postinst
        name="ssl-cert-snakeoil",
        description="Make this machine's own self-signed certificate",
        files=("etc/ssl/private/ssl-cert-snakeoil.key", "etc/ssl/certs/ssl-cert-snakeoil.pem"),
        programs=("usr/sbin/make-ssl-cert",),
        commands=("/usr/sbin/make-ssl-cert generate-default-snakeoil --force-overwrite",),
        before=("apache2.service", "dovecot.service", "exim4.service", "nginx.service", "postfix@-.service"),
    ),
)
