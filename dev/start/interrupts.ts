/**
 * Time in which a further Ctrl-C is the same one, in milliseconds: npm forwards a Ctrl-C that the terminal
 * has already sent.
 */
const SAME_INTERRUPT_MS = 500

const EXIT_SIGINT = 130
export const EXIT_SIGHUP = 129

/** The part of `process` that is used. */
interface Host {
  on: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void) => unknown
  stdout: { once: (event: 'error', listener: () => void) => unknown }
  exit: (code: number) => void
}

/**
 * Aborts the returned signal at the first SIGINT or SIGTERM. Exits at the second one, when the terminal
 * closes, and when the reader of the output goes away.
 */
export function onInterrupt(host: Host, now = () => performance.now()): AbortSignal {
  const interrupted = new AbortController()
  let interruptedAt: number | undefined
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    host.on(signal, () => {
      interruptedAt ??= now()
      interrupted.abort()
      if (now() - interruptedAt > SAME_INTERRUPT_MS) host.exit(EXIT_SIGINT)
    })
  }
  host.on('SIGHUP', () => host.exit(EXIT_SIGHUP))
  host.stdout.once('error', () => host.exit(EXIT_SIGHUP))
  return interrupted.signal
}
