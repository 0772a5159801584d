# Base of the images that are deployed and released, pinned by digest: of several architectures, with Node.js 24.21.0.
# Dependabot renews it here, since it does not read arguments. Builds on your machine use the tag in the Dockerfile.
FROM node:24-slim@sha256:d6aa754f16b3197301076f047b5def2f02ea1dbbc2ca920407d46d7ec7f87b20
