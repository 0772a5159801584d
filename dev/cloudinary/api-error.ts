import { plainUtc } from './times.ts'

/** An error with Cloudinary's message and status. */
export class ApiError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
  }

  /** Response body, in the Upload and the Admin API. */
  toJSON(): { error: { message: string } } {
    return { error: { message: this.message } }
  }
}

/** Error of a call beyond the hourly limit. `until` is Unix time in milliseconds. */
export function rateLimited(limit: number, until: number, status: 420 | 429 = 420): ApiError {
  const message = `Rate Limit Exceeded. Limit of ${limit} api operations reached. Try again on ${plainUtc(until)}`
  return new ApiError(status, message)
}
