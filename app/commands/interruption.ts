/** Aborts at the first Ctrl-C; a second one ends the process at once. */
export function interruption(): AbortSignal {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupted.abort())
  return interrupted.signal
}
