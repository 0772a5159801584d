/** Exits 0 if the web role of this container lives: the image's health check, which has no curl. */
import { readConfig } from '../config.ts'

const answer = await fetch(`http://127.0.0.1:${readConfig().PORT}/health`, {
  signal: AbortSignal.timeout(2000)
}).catch(() => undefined)

process.exitCode = answer?.ok ? 0 : 1
