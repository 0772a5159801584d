/** Returns a signal that aborts at the first Ctrl-C or SIGTERM. The second one ends the process. */
export function interruption(): AbortSignal {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupted.abort())
  return interrupted.signal
}
