import { readFileSync } from 'node:fs'

/** The pinned base image, `NAME:TAG@sha256:DIGEST`: argument `NODE_IMAGE` of the Dockerfile. */
export const BASE_IMAGE = /^FROM (\S+@sha256:[0-9a-f]{64})$/m.exec(
  readFileSync(`${import.meta.dirname}/base-image.Dockerfile`, 'utf8')
)![1]!
