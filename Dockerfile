# RelayQ in an image that holds its binary, the libraries that this needs, and nothing else.
#
#   docker build --build-context denort=DIR -t relayq .        # DIR has denort-<target>; see README.md
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges \
#     -v relayq-data:/var/lib/relayq -v ./relayq.toml:/etc/relayq/relayq.toml:ro -p 1883:1883 relayq
#
# `deno task rootfs` makes the same root directory without Docker.

# A folder with the runtime that binaries begin with, for machines that cannot fetch it; empty here.
FROM scratch AS denort

FROM node:22-bookworm-slim AS build
RUN npm install --global deno@2.9.6
WORKDIR /source
COPY deno.json deno.lock main.ts LICENSE ./
COPY src src
COPY scripts scripts
# What `relayq version` tells: there is no Git here.
ARG COMMIT=unknown
RUN --mount=type=bind,from=denort,target=/denort \
  if [ -n "$(ls /denort)" ]; then set -- --offline --denort-dir /denort; fi; \
  deno task compile --commit "$COMMIT" "$@" && deno task rootfs --output /rootfs

FROM scratch
COPY --from=build /rootfs /
# Copied once more: whose it is must not depend on how the builder copies.
COPY --from=build --chown=65532:65532 /rootfs/var/lib/relayq /var/lib/relayq
COPY --from=build /source/LICENSE /usr/share/doc/relayq/LICENSE
USER 65532:65532
WORKDIR /var/lib/relayq
VOLUME /var/lib/relayq
EXPOSE 1883 8883 9001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["/usr/bin/relayq", "ctl", "health", "--config", "/etc/relayq/relayq.toml"]
ENTRYPOINT ["/usr/bin/relayq"]
CMD ["serve", "--config", "/etc/relayq/relayq.toml"]
