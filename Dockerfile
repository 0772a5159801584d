# Node.js runs the TypeScript as it is, so there is nothing to build: the stages only keep what the listener
# does not need at run time out of its image.

FROM node:24-slim AS dependencies
WORKDIR /listener
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# Of the development dependencies, those that the image of docker-compose.yml imports; all of them are 650 MB.
# The versions are those of package-lock.json: `npm ci` fails when package.json asks for others.
FROM dependencies AS dev-dependencies
RUN for name in @fastify/multipart dynalite fauxqs json-logic-engine pino-pretty; do \
      npm pkg set --json "dependencies.$name=$(npm pkg get "devDependencies.$name")" || exit 1; \
    done; \
    npm pkg delete devDependencies && npm ci --ignore-scripts --no-audit --no-fund

# All that .dockerignore lets in, but the stand-ins: an edit of those leaves the image below as it is.
FROM node:24-slim AS sources
WORKDIR /listener
COPY . .
RUN rm -rf dev

FROM node:24-slim AS production
ENV NODE_ENV=production
# by itself Node lets garbage pile up where a host has much memory: a worker took 270 MB for 35 MB that were in use
ENV NODE_OPTIONS=--max-semi-space-size=8
# glibc keeps freed memory, and the more the larger what was freed: after a flood of 10 MiB bodies web kept hundreds of MB
ENV MALLOC_MMAP_THRESHOLD_=131072
ENV MALLOC_TRIM_THRESHOLD_=131072
WORKDIR /listener
COPY --from=dependencies /listener/node_modules node_modules
COPY --from=sources /listener .
USER node
# fails here, and not when a task starts, if listener.config.ts imports what the image does not hold
RUN ["node", "app/listener-config/check-listener.ts"]
EXPOSE 8080
# for web; the other roles do not listen
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD node app/web/health-check.ts "${PORT:-8080}"
ENTRYPOINT ["node", "app/main.ts"]
CMD ["web"]

# For docker-compose.yml: the same, with a log for people, and with the stand-ins for SQS, DynamoDB and Cloudinary.
FROM production AS dev
COPY --from=dev-dependencies /listener/node_modules node_modules
COPY dev dev
ENTRYPOINT ["node", "--import", "./dev/readable-log.ts", "app/main.ts"]

# Of docker-compose.yml too: the stand-ins hold nothing of an adopter's own, so that an edit of listener.config.ts or of
# processors/ leaves this image, its container, and with it the assets, the queue and the dead letters, as they are.
FROM node:24-slim AS stand-ins
WORKDIR /listener
COPY --from=dev-dependencies /listener/node_modules node_modules
COPY package.json ./
COPY app app
COPY dev dev
USER node
ENTRYPOINT ["node", "--import", "./dev/readable-log.ts", "dev/stand-ins.ts"]

# What is deployed: the last stage is what `docker build` and the CDK build.
FROM production
