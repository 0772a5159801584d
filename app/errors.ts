/**
 * Base of the listener's errors: a stable `code` for programs, and a message that says what was wrong and
 * what to do. Neither holds a secret, a signature or an authorization.
 */
export class ListenerError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ListenerError'
    this.code = code
  }
}

/** Thrown by a processor when an event can never succeed: the event is not retried. */
export class PermanentError extends ListenerError {
  constructor(message: string, options?: ErrorOptions & { code?: string }) {
    super(options?.code ?? 'PERMANENT', message, options)
    this.name = 'PermanentError'
  }
}

/**
 * Thrown by a processor to be retried no earlier than `until`, at most 7 days ahead. Counts as an attempt.
 */
export class RetryLaterError extends ListenerError {
  readonly until: Date

  constructor(message: string, until: Date, options?: ErrorOptions & { code?: string }) {
    super(options?.code ?? 'RETRY_LATER', message, options)
    this.name = 'RetryLaterError'
    this.until = until
  }
}
