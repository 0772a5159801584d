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
