"""A recipe to begin with: complete, and with comments that say what may be added."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oic.config.model import Target

_TEXT = """# yaml-language-server: $schema={schema}
# The line above lets editors explain each field. What is not here has the default of {os}/{dist}: oic config {name}.yml
# prints the complete recipe. Remove the # from what you want.
metadata: # for finding the recipe: oic recipes
  description: {description}
  # use_cases: [edge gateway]
  # keywords: [edge]

image:
  name: {name}
  version: "1.0.0"

target:
  os: {os}
  dist: {dist}
  arch: {arch}
  imageType: raw
  # mirror: https://mirror.example/{dist} # another mirror than the distribution's own

systemConfig:
  hostname: {hostname}
  # timezone: Etc/UTC # needs the package tzdata

  packages: # in addition to the default ones
    - sudo
    # - tzdata

  users:
    - name: admin
      password: change-me # plain text is hashed into the image; a crypt hash ($6$…) is used as it is
      sudo: true
      # sshAuthorizedKeys:
      #   - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJtJ0GWp9w0GMrbDX10AXXGVhkPwyDUHAd4zTUy+2SNR admin@example

  # network: # in place of DHCP on this interface
  #   interfaces:
  #     - name: eth0
  #       addresses: [192.0.2.10/24]
  #       routes:
  #         - to: default
  #           via: 192.0.2.1
  #       nameservers: [192.0.2.53]

  # additionalFiles:
  #   - content: |
  #       Welcome.
  #     final: /etc/motd

  # configurations: # commands in the image, without network
  #   - cmd: echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/90-forward.conf
"""


def starter_text(name: str, target: Target, schema: str) -> str:
    """Return the text of a recipe; `schema` is where an editor finds the schema."""
    return _TEXT.format(
        name=name,
        hostname=name.replace("_", "-"),
        description=f"{name}, an image of {target.dist}",
        os=target.os,
        dist=target.dist,
        arch=target.arch,
        schema=schema,
    )
