# Installs the prebuilt binary of RelayQ. Copy this folder into a layer (recipes-connectivity/relayq),
# and beside this file, into files/:
#   relayq-0.1.0-<target>      from dist/, for each target that is built for
#   LICENSE relayq.service relayq.init      from the root and scripts/ of RelayQ
#   relayq.toml                yours: `relayq init relayq.toml`

SUMMARY = "MQTT 3.1.1 broker with Sparkplug B for industrial edge gateways"
SECTION = "net"
LICENSE = "Elastic-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=a503453b6aa5c7efceec0bed05cfd1e1"

RELAYQ_TARGET = "unsupported"
RELAYQ_TARGET:x86-64 = "x86_64-unknown-linux-gnu"
RELAYQ_TARGET:aarch64 = "aarch64-unknown-linux-gnu"
RELAYQ_TARGET:armv7a = "armv7-unknown-linux-gnueabihf"
RELAYQ_TARGET:armv7ve = "armv7-unknown-linux-gnueabihf"

# The runtime in the binary needs glibc.
COMPATIBLE_HOST = "(x86_64|aarch64|arm).*-linux"
COMPATIBLE_HOST:libc-musl = "null"

SRC_URI = " \
    file://relayq-${PV}-${RELAYQ_TARGET} \
    file://LICENSE \
    file://relayq.service \
    file://relayq.init \
    file://relayq.toml \
"
S = "${WORKDIR}/sources"
UNPACKDIR = "${S}"

inherit useradd systemd update-rc.d

USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system relayq"
USERADD_PARAM:${PN} = "--system --home-dir /var/lib/relayq --no-create-home --shell /sbin/nologin --gid relayq relayq"

SYSTEMD_SERVICE:${PN} = "relayq.service"
INITSCRIPT_NAME = "relayq"
INITSCRIPT_PARAMS = "defaults 50"

# The program stands behind the runtime in the same file: strip moves it, and the binary is broken.
INHIBIT_PACKAGE_STRIP = "1"
INHIBIT_PACKAGE_DEBUG_SPLIT = "1"
INHIBIT_SYSROOT_STRIP = "1"
INSANE_SKIP:${PN} += "already-stripped ldflags"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -D -m 0755 ${S}/relayq-${PV}-${RELAYQ_TARGET} ${D}${bindir}/relayq
    install -d -m 0750 -g relayq ${D}${sysconfdir}/relayq
    install -m 0640 -g relayq ${S}/relayq.toml ${D}${sysconfdir}/relayq/relayq.toml
    if ${@bb.utils.contains('DISTRO_FEATURES', 'systemd', 'true', 'false', d)}; then
        install -D -m 0644 ${S}/relayq.service ${D}${systemd_system_unitdir}/relayq.service
    else
        install -D -m 0755 ${S}/relayq.init ${D}${sysconfdir}/init.d/relayq
    fi
}

CONFFILES:${PN} = "${sysconfdir}/relayq/relayq.toml"
