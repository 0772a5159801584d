/**
 * Every fault this listener names has a stable `code`, for machines, and a message that tells a stranger
 * what to do. Neither ever holds a secret, a signature or an authorization.
 */
export class ListenerError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ListenerError'
    this.code = code
  }
}

/** Thrown by a processor to say that an event can never succeed: it is not tried again. */
export class PermanentError extends ListenerError {
  constructor(message: string, options?: ErrorOptions & { code?: string }) {
    super(options?.code ?? 'PERMANENT', message, options)
    this.name = 'PermanentError'
  }
}

/** Thrown by a processor that must not run again before a time, at most 7 days away. It counts as an attempt. */
export class RetryLaterError extends ListenerError {
  readonly until: Date

  constructor(message: string, until: Date, options?: ErrorOptions & { code?: string }) {
    super(options?.code ?? 'RETRY_LATER', message, options)
    this.name = 'RetryLaterError'
    this.until = until
  }
}
