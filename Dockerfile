# The image of every role: `mlmon run --roles … --config /etc/mlmon/run.yaml`. Build it in a checkout: docker build -t mlmon .
#
# The tag names one release of Node.js on one release of Debian. To pin its bytes as well, look its digest up once
# (docker buildx imagetools inspect node:20.20.2-bookworm-slim) and build with --build-arg NODE=node:20.20.2-bookworm-slim@sha256:…
ARG NODE=node:20.20.2-bookworm-slim

# What a release ships: the packed package, made from the sources with the packages of the lock file.
FROM ${NODE} AS package
WORKDIR /source
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
COPY . .
RUN npm pack --pack-destination /tmp && mv /tmp/ml-monitoring-constructs-*.tgz /tmp/mlmon.tgz

# The package with production dependencies alone.
FROM ${NODE} AS install
COPY container /container
COPY --from=package /tmp/mlmon.tgz /tmp/mlmon.tgz
RUN /container/install.sh /tmp/mlmon.tgz /opt/mlmon

FROM ${NODE}
LABEL org.opencontainers.image.title="mlmon" \
      org.opencontainers.image.description="Machine-learning monitoring: collector, archiver, profiler, evaluator, labeler, notifier, page, sidecar" \
      org.opencontainers.image.licenses="Apache-2.0"
# Nothing is installed at run time: package managers are of no use but to others.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn-* \
 && ln -s /opt/mlmon/package/bin/mlmon /usr/local/bin/mlmon
COPY --from=install /opt/mlmon /opt/mlmon
# Files that a role makes go to /tmp and, in a sidecar, to its spool: mount both, the rest may be read-only.
ENV NODE_ENV=production HOME=/tmp
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080 8090 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:9464/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["mlmon"]
CMD ["run", "--help"]
