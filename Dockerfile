# Node.js runs TypeScript, so there is no build step. The stages keep files that the listener does not need out of its image.

# A deployment and a release pin the digest: infra/base-image.Dockerfile.
ARG NODE_IMAGE=node:24-slim

FROM $NODE_IMAGE AS dependencies
WORKDIR /listener
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# The development dependencies that the images of docker-compose.yml import; all of them take 650 MB.
# `npm ci` fails unless their versions match package-lock.json.
FROM dependencies AS dev-dependencies
RUN for name in @fastify/multipart dynalite fauxqs json-logic-engine pino-pretty; do \
      npm pkg set --json "dependencies.$name=$(npm pkg get "devDependencies.$name")" || exit 1; \
    done; \
    npm pkg delete devDependencies && npm ci --ignore-scripts --no-audit --no-fund

# Everything that .dockerignore admits except dev/, so that an edit there does not change the images below.
FROM $NODE_IMAGE AS sources
WORKDIR /listener
COPY . .
RUN rm -rf dev

FROM $NODE_IMAGE AS production
ENV NODE_ENV=production
# on a host with much memory, Node collects garbage late: a worker took 270 MB for 35 MB in use
ENV NODE_OPTIONS=--max-semi-space-size=8
# one arena: each thread of Node.js would keep freed memory in an arena of its own, 15 MB in a busy worker
ENV MALLOC_ARENA_MAX=1
# glibc keeps large freed blocks: after a flood of 10 MiB bodies, web held hundreds of MB
ENV MALLOC_MMAP_THRESHOLD_=131072
ENV MALLOC_TRIM_THRESHOLD_=131072
# written below, and only read by tasks, whose file systems are read-only
ENV NODE_COMPILE_CACHE=/listener/compile-cache
WORKDIR /listener
COPY --from=dependencies /listener/node_modules node_modules
COPY --from=sources /listener .
# Node.js looks for the compiled code of the same user
RUN mkdir compile-cache && chown node compile-cache
USER node
# fails the build, rather than the start of a task, if listener.config.ts imports a file that the image lacks
RUN ["node", "app/listener-config/check-listener.ts"]
RUN ["node", "app/warm-compile-cache.ts"]
EXPOSE 8080
# for web and activity on Docker; the other roles do not listen, and on AWS the load balancer checks instead
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD bash app/web/health-check.sh "${PORT:-8080}"
ENTRYPOINT ["node", "app/main.ts"]
CMD ["web"]

# For docker-compose.yml: the same with a readable log.
FROM production AS dev
COPY --from=dev-dependencies /listener/node_modules node_modules
COPY dev dev
ENTRYPOINT ["node", "--import", "./dev/readable-log.ts", "app/main.ts"]

# For docker-compose.yml: the stand-ins, without listener.config.ts and processors/, so that an edit of those keeps the
# container and with it the assets, the queue and the dead letters.
FROM $NODE_IMAGE AS stand-ins
WORKDIR /listener
COPY --from=dev-dependencies /listener/node_modules node_modules
COPY package.json ./
COPY app app
COPY dev dev
USER node
ENTRYPOINT ["node", "--import", "./dev/readable-log.ts", "dev/stand-ins.ts"]

# The deployed image: `docker build` and the CDK build the last stage.
FROM production
