import { runSend } from './send/send-command.ts'

process.exitCode = await runSend(process.argv.slice(2), {
  env: process.env,
  fetch,
  now: () => new Date(),
  elapsed: () => performance.now(),
  print: (line) => console.log(line)
})
