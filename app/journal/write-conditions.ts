/** What must hold for DynamoDB to accept a write. */
export interface WriteCondition {
  expression: string
  names: Record<string, string>
  values?: Record<string, string>
}

/** The journal does not know the event. */
export const ABSENT: WriteCondition = {
  expression: 'attribute_not_exists(#status)',
  names: { '#status': 'status' }
}

/** The event was ignored, and no attempt has started. */
export const NEVER_STARTED: WriteCondition = {
  expression: 'attribute_exists(#status) AND attribute_not_exists(#attemptId)',
  names: { '#status': 'status', '#attemptId': 'attemptId' }
}

export const UNFINISHED_OR_ABSENT: WriteCondition = {
  expression: 'attribute_not_exists(#status) OR #status IN (:processing, :retrying)',
  names: { '#status': 'status' },
  values: { ':processing': 'processing', ':retrying': 'retrying' }
}

/** Unlike `UNFINISHED_OR_ABSENT`, also matches an event whose dead letter is redriven. */
export const NOT_DONE_OR_ABSENT: WriteCondition = {
  expression: 'attribute_not_exists(#status) OR #status IN (:processing, :retrying, :dead)',
  names: { '#status': 'status' },
  values: { ':processing': 'processing', ':retrying': 'retrying', ':dead': 'dead' }
}

/** No other attempt has started since this one. */
export const lastAttemptIs = (id: string): WriteCondition => ({
  expression: '#attemptId = :lastAttempt',
  names: { '#attemptId': 'attemptId' },
  values: { ':lastAttempt': id }
})

/** Like `lastAttemptIs`, and the attempt has not ended: a start must not reopen a finished event. */
export const lastAttemptIsStill = (id: string, status: string): WriteCondition => ({
  expression: '#attemptId = :lastAttempt AND #status = :lastStatus',
  names: { '#attemptId': 'attemptId', '#status': 'status' },
  values: { ':lastAttempt': id, ':lastStatus': status }
})

/** The event exists, and records no later change than this one. */
export const noLaterThan = (signedAt: string): WriteCondition => ({
  expression: 'attribute_exists(#status) AND (attribute_not_exists(#later) OR #later.#signedAt < :signedAt)',
  names: { '#status': 'status', '#later': 'later', '#signedAt': 'signedAt' },
  values: { ':signedAt': signedAt }
})
