#!/bin/sh
# Installs the Debian packages that the tasks beyond `deno task test` use. Run as root.
#   mosquitto, mosquitto-clients   deno task bench, deno task test:clients
#   prometheus                     deno task test:clients
#   chromium                       the dashboard and MQTT.js in a browser, in deno task test:clients
#   python3                        stops the thread of a store, in deno task test:clients
#   systemd                        judges scripts/relayq.service, in deno task test:clients
#   z3, cvc5                       proofs of the state machines, in deno task verify
#   spin, gcc, tcc, libc6-dev      models of concurrency, in deno task verify and test:clients
#   busybox, shellcheck            try scripts/relayq.init, in deno task test:clients
#   make                           tries scripts/buildroot, in deno task test:clients
#   qemu-user-static               deno task smoke:arm64
#   gcc-arm-linux-gnueabihf, libc6-dev-armhf-cross   a program for armv7, in deno task test:clients
#   openssl                        certificates for the tests of TLS; without it they are skipped
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends mosquitto mosquitto-clients prometheus openssl \
  python3 systemd chromium spin gcc tcc libc6-dev z3 cvc5 busybox shellcheck make \
  qemu-user-static gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
