# The file that was reviewed is the file that runs: no build step, only what production needs is installed.
FROM node:24-slim AS dependencies
WORKDIR /gyeol
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production \
    GYEOL_HOME=/var/lib/gyeol \
    GYEOL_HOST=0.0.0.0
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/gyeol --shell /usr/sbin/nologin gyeol
WORKDIR /gyeol
COPY --from=dependencies /gyeol/node_modules ./node_modules
COPY package.json tsconfig.json ./
COPY src ./src
COPY migrations ./migrations
COPY openapi ./openapi
COPY keys.example ./keys.example
USER 10001
VOLUME /var/lib/gyeol
EXPOSE 8443
# Give the container a memory file system for scratch: docker run --shm-size=4g
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["node", "--input-type=module", "-e", "const { get } = await import('node:https'); get({ host: '127.0.0.1', port: process.env.GYEOL_PORT ?? 8443, path: '/readyz', rejectUnauthorized: false }, (r) => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
ENTRYPOINT ["node", "src/main.ts"]
CMD ["start"]
