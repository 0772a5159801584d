import type { Guarantee } from './ledger/guarantee.ts'

/** A defect that is put into the code when it is loaded. */
export interface Mutant {
  name: string
  /** Path in the repository. */
  file: string
  /** Replaced once; must be there exactly once. */
  find: string
  replace: string
  /** The stored plan that finds it, for a defect that fewer than one in a million steps shows. */
  plan?: string
  /** The invariants that may find it. */
  guarantees: readonly Guarantee[]
}

const LOST = '7 nothing is lost'
const REST = '7 at rest'

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'acknowledges before the store',
    file: 'app/ingest/ingest.ts',
    find: 'await sender.store(events, abort.signal)',
    replace: 'void sender.store(events, abort.signal).catch(() => {})',
    guarantees: ['1 stored, then acknowledged', LOST]
  },
  {
    name: 'treats failed entries of a batch as stored',
    file: 'app/queue/send-batch.ts',
    find: 'if (succeeded.has(Id)) return',
    replace: 'if (succeeded.has(Id) || Id) return',
    guarantees: ['1 stored, then acknowledged', '4 in order per asset', LOST]
  },
  {
    name: 'treats a failed batch as stored',
    file: 'app/queue/batcher.ts',
    find: 'settlements = batch.map(() => ({ ok: false, error }))',
    replace: 'settlements = batch.map(() => ({ ok: true, value: (void error) as Result }))',
    guarantees: ['1 stored, then acknowledged', '4 in order per asset', LOST]
  },
  {
    name: 'accepts an old signature',
    file: 'app/ingest/signature.ts',
    find: 'if (ageSeconds > options.toleranceSeconds) {',
    replace: 'if (ageSeconds > 1e9) {',
    guarantees: ['2 verified before parsed']
  },
  {
    name: 'accepts a wrong signature',
    file: 'app/ingest/signature.ts',
    find: 'if (timingSafeEqual(digestWith(key.apiSecret), digest)) {',
    replace: 'if (timingSafeEqual(digestWith(key.apiSecret), digest) || key) {',
    guarantees: ['2 verified before parsed', LOST]
  },
  {
    name: 'treats several assets as one event',
    file: 'app/ingest/notification.ts',
    find: 'const isSplit = entries.length > 0 && entries.length <= MAX_ENTRIES',
    replace: 'const isSplit = entries.length === 1',
    guarantees: ['3 one event per asset', LOST]
  },
  {
    name: 'continues a lane after a failure',
    file: 'app/queue/lanes.ts',
    find: 'if (!mayContinue) await this.#releaseAll(lane)',
    replace: 'if (!mayContinue && lane.length > 1e9) await this.#releaseAll(lane)',
    guarantees: ['4 in order per asset']
  },
  {
    name: 'continues a lane after a delete that failed',
    file: 'app/queue/message-receiver.ts',
    find: "return isSettled && action.kind === 'delete'",
    replace: "return action.kind === 'delete' || !isSettled",
    guarantees: ['4 in order per asset']
  },
  {
    name: 'sends every event in a group of its own',
    file: 'app/queue/event-sender.ts',
    find: 'MessageGroupId: event.group,',
    replace: 'MessageGroupId: event.id,',
    guarantees: ['4 in order per asset', '5 effectively once']
  },
  {
    name: 'deletes before the record',
    file: 'app/worker/event-handler.ts',
    find: 'if (!(await journal.record(attempt, records, next ? undefined : result, call))) {',
    replace:
      'const done = journal.record(attempt, records, next ? undefined : result, call).catch(() => true)\n' +
      '    if (next && !(await done)) {',
    guarantees: ['5 effectively once', REST]
  },
  {
    name: 'starts an event without a condition',
    file: 'app/journal/write-conditions.ts',
    find: "expression: 'attribute_not_exists(#status)',",
    replace: "expression: 'attribute_not_exists(#status) OR attribute_exists(#status)',",
    guarantees: ['5 effectively once', '7 attempts', REST]
  },
  {
    name: 'records an attempt that is not the last',
    file: 'app/journal/write-conditions.ts',
    find: "expression: '#attemptId = :lastAttempt',",
    replace: "expression: '#attemptId = :lastAttempt OR attribute_exists(#attemptId)',",
    guarantees: ['5 effectively once', '7 attempts', LOST, REST]
  },
  {
    name: 'runs a dead processor again',
    file: 'app/worker/attempt-records.ts',
    find: 'if (run === undefined || record.run === run.id) return true',
    replace: 'if (record.run === run?.id && run) return true',
    guarantees: [REST]
  },
  {
    name: 'runs a processor again that succeeded',
    file: 'app/worker/attempt-records.ts',
    find: "if (record === undefined || record.outcome === 'failed' ||",
    replace: "if (record === undefined || record.outcome === 'failed' || record.outcome === 'succeeded' ||",
    guarantees: ['5 effectively once', REST]
  },
  {
    name: 'keeps events for only 30 seconds',
    file: 'app/journal/journal-table.ts',
    find: 'Math.floor(now / 1000) + retentionDays * 86_400',
    replace: 'Math.floor(now / 1000) + retentionDays',
    guarantees: ['5 effectively once', '7 attempts', LOST, REST]
  },
  {
    name: 'never renews a lease',
    file: 'app/queue/leases.ts',
    find: 'options.every(this.#beatMs, () => this.#beat())',
    replace: 'options.every(this.#beatMs, () => {})',
    guarantees: ['5 effectively once']
  },
  {
    name: 'counts a lease from the response, not the request',
    file: 'app/queue/leases.ts',
    find: 'const expiresAt = requestedAt + ',
    replace: 'const expiresAt = this.#options.clock() + ',
    plan: 'lease-counted-from-the-response.json',
    guarantees: ['5 effectively once']
  },
  {
    name: 'starts an attempt without its lease',
    file: 'app/journal/journal.ts',
    find: 'if (call.signal.aborted) throw',
    replace: 'if (call.signal.aborted && !id) throw',
    plan: 'start-without-a-lease.json',
    guarantees: ['5 effectively once', '7 attempts']
  },
  {
    name: 'continues an older replay',
    file: 'app/worker/attempt-plan.ts',
    find: 'run: { ...run, replay: last }',
    replace: 'run: { ...run, replay: run.replay }',
    plan: 'redrive-of-an-older-replay.json',
    guarantees: ['5 effectively once']
  },
  {
    name: 'continues the first run in a redrive after a replay',
    file: 'app/worker/attempt-plan.ts',
    find: 'run.replay === undefined || replays.includes(run.replay)',
    replace: 'run.replay !== undefined && replays.includes(run.replay)',
    plan: 'redrive-of-a-dead-letter-older-than-a-replay.json',
    guarantees: ['5 effectively once']
  },
  {
    name: 'keeps every lane that has ended',
    file: 'app/queue/lanes.ts',
    find: 'void running.finally(() => this.#running.delete(running))',
    replace: 'void running',
    guarantees: ['8 bounded memory']
  },
  {
    name: 'identifies an event by its signing time',
    file: 'app/ingest/notification.ts',
    find: 'hashed ??= digest(context.environment, body)',
    replace: 'hashed ??= digest(context.environment, body, String(context.signedAt))',
    guarantees: ['5 effectively once']
  },
  {
    name: 'identifies an upload without its etag',
    file: 'app/ingest/event-identity.ts',
    find: '...(etag ? [digest(...parts, etag)] : []), ',
    replace: '...(etag === "" ? [digest(...parts, etag)] : []), ',
    guarantees: ['5 distinct identities', LOST]
  },
  {
    name: 'treats a later change with the same body as a retry',
    file: 'app/journal/journal.ts',
    find: 'if (signedAt === undefined) return event',
    replace: 'if (signedAt === undefined || event.id) return event',
    guarantees: ['5 distinct identities', LOST]
  },
  {
    name: 'treats any retry as a later change',
    file: 'app/ingest/event-identity.ts',
    find: 'export const RETRY_SPAN_MS = 3_600_000',
    replace: 'export const RETRY_SPAN_MS = 3_600',
    guarantees: ['5 effectively once']
  },
  {
    name: 'sends a redrive or replay with the id of its event',
    file: 'app/queue/event-sender.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of the source
    find: 'event.run ? `${event.id}.${event.run.id}` : event.id',
    replace: 'event.id',
    guarantees: [LOST]
  },
  {
    name: 'handles its own changes',
    file: 'app/worker/select-processors.ts',
    find: "event.origin.own && event.type !== 'eager'",
    replace: "event.origin.own && event.type === 'eager'",
    guarantees: ['6 no loops']
  },
  {
    name: 'stamps its own stamp',
    file: 'app/processors/last-update-timestamp.ts',
    find: '!isStamp(name) && (watch',
    replace: '(watch',
    guarantees: ['6 no loops', REST]
  },
  {
    name: 'counts attempts while Cloudinary is down',
    file: 'app/worker/attempt-records.ts',
    find: "const counts = cause === 'processor'",
    replace: "const counts = cause === 'processor' || cause === 'cloudinary'",
    guarantees: ['7 attempts']
  },
  {
    name: 'never probes an open circuit breaker',
    file: 'app/cloudinary/breaker.ts',
    find: 'return this.#openUntil <= this.#options.clock() ? 1 : 0',
    replace: 'return this.#openUntil <= this.#options.clock() ? 0 : 0',
    guarantees: [REST]
  },
  {
    name: 'does not release the probe of the circuit breaker',
    file: 'app/cloudinary/breaker.ts',
    find: '  release(): void {\n    this.#probeUntil = 0',
    replace: '  release(): void {\n    this.#probeUntil = Number.MAX_VALUE',
    guarantees: [REST]
  },
  {
    name: 'dead-letters without waiting for the store',
    file: 'app/worker/event-handler.ts',
    find: "if (run.outcome === 'failed' && record.outcome === 'dead') await deadLetter(run, context)",
    replace:
      "if (run.outcome === 'failed' && record.outcome === 'dead') void deadLetter(run, context).catch(() => {})",
    guarantees: [LOST]
  },
  {
    name: 'acknowledges a polled notification that was not stored',
    file: 'app/poll/poll-batch.ts',
    find: 'err: outcome.error }, NOT_STORED)\n      return false',
    replace: 'err: outcome.error }, NOT_STORED)\n      return true',
    guarantees: [LOST]
  },
  {
    name: 'deletes a dead letter before it is sent again',
    file: 'app/commands/redrive/move-dead-letters.ts',
    find: ': await this.#send(deadLetter.event, replays.get(deadLetter.event.id))',
    replace:
      ': (await this.#options.reader.delete(deadLetter), await this.#send(deadLetter.event, replays.get(deadLetter.event.id)))',
    guarantees: [LOST]
  },
  {
    name: 'forgets the previous key',
    file: 'app/credentials/environments.ts',
    find: 'for (const environment of [...current, ...previous]) {',
    replace: 'for (const environment of previous.length < 0 ? previous : current) {',
    guarantees: [LOST]
  },
  {
    name: 'moves the watermark past what was searched',
    file: 'app/commands/reconcile/reconcile-pass.ts',
    find: 'await save(window.until, true)',
    replace: 'await save(window.until + 7_200_000, true)',
    guarantees: [LOST]
  },
  {
    name: 'sends heartbeats after the stop',
    file: 'app/queue/leases.ts',
    find: '    this.#stopBeating()\n',
    replace: '    void this.#stopBeating\n',
    guarantees: ['8 shutdown']
  },
  {
    name: 'writes to an asset of a guessed kind',
    file: 'app/cloudinary/client.ts',
    find: 'const known = this.#options.identities.get(asset)\n',
    replace:
      "const known = { resourceType: 'image', deliveryType: 'upload', ...asset } as IdentifiedAsset | undefined\n",
    guarantees: ['10 nothing is guessed']
  }
]
