import { parseArgs } from 'node:util'

const USAGE = `Usage: npm start

Starts the whole system on this machine: stand-ins for SQS, DynamoDB and Cloudinary, and web, worker and
activity as in production. Also embeds services that processors require and the environment lacks, such as a database. Sends
one upload through the system, prints its journey, and runs until Ctrl-C; a second Ctrl-C exits at once.
Restarts the worker when listener.config.ts or a file that it imports changes.

  CLOUDINARY_URL=…   uses your Cloudinary instead of the stand-in, and uploads nothing to it
  POLL_CHANNEL=…     also starts the role poll, which polls that channel of Cloudinary
  ACTIVITY_PASSWORD=…   sets the password of the activity page; default local-activity
  PORT, LISTENER_CONFIG, LOG_LEVEL, …   are passed to the roles; README.md lists them. Reads .env.
`

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } })
if (values.help) {
  process.stdout.write(USAGE)
} else {
  const { EXIT_SIGHUP, onInterrupt } = await import('./start/interrupts.ts')
  const until = onInterrupt(process)
  const { onNpmExit } = await import('./start/npm-exit.ts')
  onNpmExit(() => process.exit(EXIT_SIGHUP), process.env)
  // loaded last, since it takes a second
  const { runStart } = await import('./start/start-command.ts')
  const { startSystem } = await import('./start/system.ts')
  process.exit(
    await runStart({
      environment: process.env,
      colors: process.stdout.isTTY,
      print: (line) => process.stdout.write(`${line}\n`),
      until,
      startSystem,
      // as with `docker compose`, so that listener.config.ts can name the address of the Cloudinary stand-in
      usualPorts: { web: 8080, cloudinary: 4000 }
    })
  )
}
