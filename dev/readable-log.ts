import { pino } from 'pino'
import { createLogFormat } from './log-format.ts'

/**
 * Given to `node --import`, it makes a process log for people instead of in JSON, as docker-compose.yml does. It formats
 * in the process itself: a pipe would come between the process and its signals, exit code and last lines.
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
