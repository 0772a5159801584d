import { parseArgs } from 'node:util'

const USAGE = `Usage: npm start

Starts the whole system on this machine: SQS, DynamoDB and Cloudinary as stand-ins, web and worker as in production.
What processors require and the environment lacks, such as a database, is embedded as well. Pushes one upload through
it, prints its journey, and stays up until Ctrl-C.

  CLOUDINARY_URL=…   uses that Cloudinary instead of the stand-in, and uploads nothing to it
  POLL_CHANNEL=…     starts the role poll as well, which fetches notifications from that channel of Cloudinary
  PORT, LISTENER_CONFIG, LOG_LEVEL, …   are handed on; README.md lists them. .env is read.
`

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } })
if (values.help) {
  process.stdout.write(USAGE)
} else {
  // which is slow, as all that it starts is
  const { run } = await import('./start/run.ts')
  const interrupted = new AbortController()
  // a second signal changes nothing: the roles are told once
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interrupted.abort())
  process.exit(
    await run({
      environment: process.env,
      colors: process.stdout.isTTY,
      print: (line) => process.stdout.write(`${line}\n`),
      until: interrupted.signal
    })
  )
}
