import { pino } from 'pino'
import { createLogFormat } from './log-format.ts'

/**
 * Preloaded with `node --import`, formats the log of a process for people, as in docker-compose.yml. A pipe
 * would separate the process from its signals, its exit code and its last lines.
 */
const format = createLogFormat({ colors: false })
const { destination } = pino

Object.assign(pino, {
  destination(...options: Parameters<typeof destination>) {
    const stream = destination(...options)
    const write = stream.write.bind(stream)
    return Object.assign(stream, { write: (line: string) => write(format(line)) })
  }
})
