import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import type { CloudinaryStandIn } from '../../../dev/cloudinary/server.ts'
import type { LogLine } from '../../../dev/start/child.ts'
import type { Account } from './accounting.ts'
import type { Scenario } from './chaos.ts'

/** Promises that the books show as broken, described. */
export function judge(scenario: Scenario, result: Account): string[] {
  const { events, acknowledged, lost, duplicates, strays, disordered } = result
  const expected = [...(scenario.deadLetters ?? [])].sort()
  const found = result.deadLetters.map(({ asset, processor, code }) => `${asset} ${processor} ${code}`).sort()
  const missing = expected.filter((letter) => !found.includes(letter))
  const unexpected = found.filter(
    (letter, index) => !expected.includes(letter) || found[index - 1] === letter
  )
  return [
    ...(acknowledged < events ? [`${events - acknowledged} events were given up by Cloudinary`] : []),
    ...lost.map((what) => `lost: ${what}`),
    ...duplicates.slice(scenario.duplicatesAllowed ?? 0).map((what) => `done again: ${what}`),
    ...strays.map((what) => `without a cause: ${what}`),
    ...disordered.map((what) => `out of order: ${what}`),
    ...missing.map((letter) => `missing in the dead-letter queue: ${letter}`),
    ...unexpected.map((letter) => `in the dead-letter queue: ${letter}`),
    ...result.deadLetters.filter(({ message }) => !message).map(() => 'a dead letter without its reason')
  ]
}

/** Events that failed in passing, and so had to wait, described. */
export function findDelays(lines: readonly LogLine[]): string[] {
  return lines
    .filter(({ msg }) => msg === 'event failed; will be retried')
    .map(
      ({ asset, processor, err }) =>
        `had to wait: ${asset}, ${processor}: ${(err as { code?: string } | undefined)?.code}`
    )
}

/** What must not be in a log, and is. */
export function findSecrets(lines: readonly LogLine[], { deliveries }: CloudinaryStandIn): string[] {
  const log = lines.map((line) => JSON.stringify(line)).join('\n')
  const signatures = new Set(deliveries.map(({ headers }) => headers['x-cld-signature']))
  return [
    ...(log.includes(LOCAL_CLOUDINARY.apiSecret) ? ['the API secret is in the log'] : []),
    ...((log.match(/[0-9a-f]{40}/g) ?? []).some((hex) => signatures.has(hex))
      ? ['a signature is in the log']
      : [])
  ]
}
