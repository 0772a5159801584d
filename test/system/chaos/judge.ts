import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import type { CloudinaryStandIn } from '../../../dev/cloudinary/cloudinary-server.ts'
import type { LogLine } from '../../../dev/start/role-process.ts'
import type { Account } from './accounting.ts'
import type { Scenario } from './scenario.ts'

/** Returns the broken guarantees of a run, as text. */
export function judge(scenario: Scenario, result: Account): string[] {
  const { events, acknowledged, lost, duplicates, strays, disordered } = result
  const expected = [...(scenario.deadLetters ?? [])].sort()
  const found = result.deadLetters.map(({ asset, processor, code }) => `${asset} ${processor} ${code}`).sort()
  const missing = expected.filter((deadLetter) => !found.includes(deadLetter))
  const unexpected = found.filter(
    (deadLetter, index) => !expected.includes(deadLetter) || found[index - 1] === deadLetter
  )
  return [
    ...(acknowledged < events ? [`${events - acknowledged} events given up by Cloudinary`] : []),
    ...lost.map((what) => `lost: ${what}`),
    ...duplicates.slice(scenario.duplicatesAllowed ?? 0).map((what) => `duplicate: ${what}`),
    ...strays.map((what) => `without an event: ${what}`),
    ...disordered.map((what) => `out of order: ${what}`),
    ...missing.map((deadLetter) => `missing dead letter: ${deadLetter}`),
    ...unexpected.map((deadLetter) => `unexpected dead letter: ${deadLetter}`),
    ...result.deadLetters.filter(({ message }) => !message).map(() => 'dead letter without a reason')
  ]
}

/** Returns the events that failed temporarily, as text. */
export function findDelays(lines: readonly LogLine[]): string[] {
  return lines
    .filter(({ msg }) => msg === 'event failed; will be retried')
    .map(
      ({ asset, processor, err }) =>
        `retried: ${asset}, ${processor}: ${(err as { code?: string } | undefined)?.code}`
    )
}

/** Returns the secrets in the log, as text. */
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
