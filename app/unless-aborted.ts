/** Settles like the promise, or rejects with the signal's reason as soon as the signal aborts. */
export async function unlessAborted<Value>(
  promise: Promise<Value> | Value,
  signal: AbortSignal
): Promise<Value> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
