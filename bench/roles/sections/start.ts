import { get } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { nextFreePort } from '../../../dev/start/ports.ts'
import { type InstantStandIns, startPeer, startRole } from '../processes.ts'
import type { Context, Run, Section } from './section.ts'

const POLL_MS = 2
const FIRST_PORT = 'http://127.0.0.1:41000'

type Start = (standIns: InstantStandIns, port: number) => Promise<{ stop: () => Promise<void> }>

const SERVERS: Record<string, Start> = {
  'bare Fastify': (standIns, port) => startPeer('bare-fastify', standIns, { port }),
  'Fastify that loads the SQS client': (standIns, port) => startPeer('fastify-with-sqs', standIns, { port }),
  '`web`': (standIns, port) => startRole('web', standIns, { port })
}

/** Returns whether a server is ready. */
const isReady = (port: number) =>
  new Promise<boolean>((resolve) => {
    get({ host: '127.0.0.1', port, path: '/ready', agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    }).on('error', () => resolve(false))
  })

async function timeUntilReady(start: Start, standIns: InstantStandIns): Promise<number> {
  const port = await nextFreePort(FIRST_PORT)
  const startedAt = performance.now()
  const starting = start(standIns, port)
  while (!(await isReady(port))) await pause(POLL_MS)
  const milliseconds = performance.now() - startedAt
  await (await starting).stop()
  return milliseconds
}

async function open({ standIns }: Context): Promise<Run> {
  return async () => {
    const times: [string, number][] = []
    for (const [name, start] of Object.entries(SERVERS))
      times.push([name, await timeUntilReady(start, standIns)])
    const [, [, withSqs] = ['', Number.NaN]] = times
    return Object.fromEntries(times.map(([name, ms]) => [name, { ms, ratio: ms / withSqs }]))
  }
}

/** Measures the time from the start of the process to its first 200. */
export const start: Section = {
  name: 'start',
  cases: 'server',
  columns: [
    { figure: 'ms', heading: 'start to the first 200, ms', range: true },
    { figure: 'ratio', heading: '× Fastify that loads the SQS client', digits: 2 }
  ],
  open
}
