import { readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, totalmem } from 'node:os'

/** Packages whose versions matter for the figures. */
const PACKAGES = ['fastify', '@aws-sdk/client-sqs', '@octokit/webhooks', 'sqs-consumer']

/** Describes this machine. */
export const machine = (): string =>
  `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${arch}, ${availableParallelism()} cores, ` +
  `${Math.round(totalmem() / 2 ** 30)} GiB`

/** Returns the versions of the compared packages. */
export function versions(): Record<string, string> {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(`${import.meta.dirname}/../../package.json`, 'utf8')
  )
  return Object.fromEntries(PACKAGES.map((name) => [name, dependencies[name] ?? devDependencies[name]]))
}
