# syntax=docker/dockerfile:1
# Small and closed: one bundled file on a Node image without shell, package manager or root. No network at run time but what
# the configuration names; no write access anywhere. Pinning by digest: docs/guides/containers.md.

FROM docker.io/library/node:24-bookworm-slim AS build
WORKDIR /src
COPY . .
# No script of a dependency runs; the build is our own.
RUN npm ci --ignore-scripts --no-audit --no-fund && npm run build

FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /app
COPY --from=build --chown=0:0 --chmod=0444 /src/dist/node.js node.mjs
COPY --from=build --chown=0:0 --chmod=0444 /src/dist/cli.js cli.mjs
ENV HOST=0.0.0.0 PORT=8080 NODE_ENV=production
USER 65532:65532
EXPOSE 8080
# The image's entry point is node itself: "cli.mjs check-config" in place of the command runs the operator's tool.
CMD ["node.mjs"]
