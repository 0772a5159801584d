import type { ProcessorRecords } from '../../../app/journal/processor-record.ts'
import type { Asset } from '../models/notification-bodies.ts'
import type { Dependencies } from '../parts.ts'
import { RECORDING } from '../processors.ts'
import { START } from '../scheduler.ts'
import { areOne, type Change } from './change-tracker.ts'
import type { Ledger } from './ledger.ts'

/** Guarantee 7: a change that a notification reported is processed or dead-lettered. */
function checkNothingLost(ledger: Ledger): void {
  const { changes } = ledger
  for (const change of changes.all) {
    if (!change.isAcknowledged || (change.isOwn && change.statesOrigin) || changes.isAmbiguous(change))
      continue
    const same = [change, ...changes.all.filter((other) => areOne(other, change))]
    for (const processor of RECORDING) {
      if (!same.some(({ done }) => done.has(processor)))
        ledger.violated(
          '7 nothing is lost',
          `${processor} never ran for ${change.name}, which was acknowledged`
        )
    }
  }
}

/** Guarantee 7: a search finds the last upload of an asset, whatever became of its notification. */
export function checkUploadFound(ledger: Ledger, cloud: string, asset: Asset): void {
  const changes = ledger.changes.ofUpload(cloud, asset)
  if (changes.length > 0 && !changes.some(({ done }) => done.has('record')))
    ledger.violated('7 nothing is lost', `record never ran for ${changes[0]!.name}, which a search finds`)
}

/**
 * An own change ran while its worker could not read the rotated key, and was redriven when it could: only `audit` ran
 * again, so what died before stays dead.
 */
const isForAuditOnly = (change: Change | undefined, { processors }: Readonly<Record<string, unknown>>) =>
  change?.isOwn && change.ownKeySince > START && Object.hasOwn(Object(processors), 'audit')

/** Guarantee 7: an event that is dead has a dead letter for each processor that failed. */
function checkDeadLetters({ dynamoDb, deadLetterQueue, ledger }: Dependencies): void {
  const letters = new Set(
    deadLetterQueue.messages.map(
      ({ body, attributes }) => `${JSON.parse(body).id} ${attributes.processor?.StringValue}`
    )
  )
  for (const [id, item] of dynamoDb.items) {
    if (isForAuditOnly(ledger.changes.ofEvent(id), item)) continue
    const missing = deadProcessorsOf(item).find((processor) => !letters.has(`${id} ${processor}`))
    if (missing)
      ledger.violated('7 nothing is lost', `event ${id} is dead in ${missing}, and has no dead letter`)
  }
}

/**
 * Checks what must hold when nothing is left to do.
 *
 * @param isDiscardCut a discard did not end, so an event may be dead without a dead letter
 */
export function checkAtRest(dependencies: Dependencies, isDiscardCut: boolean): void {
  const { dynamoDb, queue, deadLetterQueue, ledger } = dependencies
  checkNothingLost(ledger)
  for (const [id, { status }] of dynamoDb.items) {
    if (status === 'processing' || status === 'retrying')
      ledger.violated('7 at rest', `event ${id} is ${status}`)
  }
  if (!isDiscardCut) checkDeadLetters(dependencies)
  const texts = [...queue.everStored.values(), ...deadLetterQueue.everStored.values()].map((message) =>
    JSON.stringify(message)
  )
  for (const item of dynamoDb.items.values()) texts.push(JSON.stringify({ ...item, payload: undefined }))
  if (texts.some((text) => text.includes('-SECRET-'))) ledger.violated('9 secrets', 'a secret is stored')
}

function deadProcessorsOf(item: Readonly<Record<string, unknown>>): string[] {
  const records = Object.entries((item.processors ?? {}) as ProcessorRecords)
  return item.status === 'dead'
    ? records.filter(([, { outcome }]) => outcome === 'dead').map(([name]) => name)
    : []
}
