/**
 * `npm run send`: sends a signed notification to a running listener, as Cloudinary would. `--help` says
 * what it takes; dev/send/ is how it works.
 */
import { run } from './send/run.ts'

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  fetch,
  now: () => new Date(),
  elapsed: () => performance.now(),
  print: (line) => console.log(line)
})
