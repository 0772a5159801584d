import { plainUtc } from './times.ts'

/** A refusal, in the words and with the status Cloudinary would give it. */
export class ApiError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
  }

  /** The answer's body, the same for the Upload and the Admin API. */
  toJSON(): { error: { message: string } } {
    return { error: { message: this.message } }
  }
}

/** The refusal of a call beyond the hourly limit, which ends at a time: Unix time, in milliseconds. */
export function rateLimited(limit: number, until: number, status: 420 | 429 = 420): ApiError {
  const message = `Rate Limit Exceeded. Limit of ${limit} api operations reached. Try again on ${plainUtc(until)}`
  return new ApiError(status, message)
}
