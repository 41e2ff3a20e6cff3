# Viaduct without its children: PostgreSQL and rtpengine are services of their own (docker-compose.yml).
#
# The last stage takes no more than the node program, the packages that are needed at run time, and the pages, which are
# bundled here: there is no npm, no compiler and no esbuild in it, and nothing is installed at start.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-fund
COPY src src
COPY routes routes
COPY sql sql
COPY web web
COPY tools/build-pages.mjs tools/
RUN node tools/build-pages.mjs
# The optional packages are the embedded PostgreSQL and esbuild's program; what the pages use is part of them by now.
RUN npm prune --omit=dev --omit=optional --ignore-scripts --no-fund \
 && rm -rf node_modules/esbuild node_modules/jssip node_modules/preact node_modules/@preact tools \
 && find web -type f ! -name pages.built -delete \
 && find node_modules -type f \( -name '*.map' -o -name '*.md' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' \) -delete

FROM debian:bookworm-slim
RUN groupadd --gid 1000 viaduct \
 && useradd --uid 1000 --gid viaduct --home-dir /var/lib/viaduct --no-create-home --shell /usr/sbin/nologin viaduct \
 && install -d -o viaduct -g viaduct -m 700 /var/lib/viaduct
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app /app
COPY LICENSE /app/
COPY docker/viaduct.sh /usr/local/bin/viaduct
# Fails here, not at the first start, where a library of the node program should be missing.
RUN node --version && chmod 755 /usr/local/bin/viaduct

ENV NODE_ENV=production DATA_DIR=/var/lib/viaduct
WORKDIR /app
USER viaduct
VOLUME /var/lib/viaduct
# SIP over UDP, TCP and TLS; SIP over WS; WSS with the pages; REST.
EXPOSE 5060/udp 5060/tcp 5061/tcp 8080/tcp 8443/tcp 8081/tcp
# On the port that HTTP says; an address of its own there needs a check of its own.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${(process.env.HTTP || ':8081').split(':').at(-1)}/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["viaduct"]
CMD ["start"]
