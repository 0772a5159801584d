import { parseArgs } from 'node:util'

const USAGE = `Usage: npm start

Starts the whole system on this machine: SQS, DynamoDB and Cloudinary as stand-ins, web and worker as in production.
What processors require and the environment lacks, such as a database, is embedded as well. Pushes one upload through
it, prints its journey, and stays up until Ctrl-C; a second Ctrl-C ends it at once. It restarts the worker when
listener.config.ts, or a file that it imports, changes.

  CLOUDINARY_URL=…   uses that Cloudinary instead of the stand-in, and uploads nothing to it
  POLL_CHANNEL=…     starts the role poll as well, which fetches notifications from that channel of Cloudinary
  PORT, LISTENER_CONFIG, LOG_LEVEL, …   are handed on; README.md lists them. .env is read.
`

/** A Ctrl-C may come twice: from the terminal, and passed on by npm. What comes later is another one, in milliseconds. */
const SAME_INTERRUPT_MS = 500

const EXIT_SIGINT = 130
const EXIT_SIGHUP = 129

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } })
if (values.help) {
  process.stdout.write(USAGE)
} else {
  const interrupted = new AbortController()
  let interruptedAt: number | undefined
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      interruptedAt ??= performance.now()
      interrupted.abort()
      // what was started ends with this process
      if (performance.now() - interruptedAt > SAME_INTERRUPT_MS) process.exit(EXIT_SIGINT)
    })
  }
  // nobody is there to read, or to press Ctrl-C
  process.once('SIGHUP', () => process.exit(EXIT_SIGHUP))
  process.stdout.once('error', () => process.exit(EXIT_SIGHUP))
  const { whenNpmEnds } = await import('./start/npm-exit.ts')
  whenNpmEnds(() => process.exit(EXIT_SIGHUP), process.env)
  // which is slow, as all that it starts is
  const { run } = await import('./start/start-command.ts')
  process.exit(
    await run({
      environment: process.env,
      colors: process.stdout.isTTY,
      print: (line) => process.stdout.write(`${line}\n`),
      until: interrupted.signal
    })
  )
}
