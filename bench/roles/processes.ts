import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import type { Order, QueuedMessage } from './instant-stand-ins.ts'

/** What the image sets: the `ENV` lines of the Dockerfile's last stage. */
const IMAGE_ENVIRONMENT = Object.fromEntries(
  readFileSync(`${import.meta.dirname}/../../Dockerfile`, 'utf8')
    .replace(/^.*\nFROM /s, '')
    .matchAll(/^ENV (\w+)=(.*)$/gm)
    .map(([, name, value]) => [name, value])
)

export interface Outside {
  url: string
  /** Resolves when the worker has deleted all of them. */
  process: (messages: QueuedMessage[]) => Promise<undefined>
  setLatency: (milliseconds: number) => void
  stop: () => Promise<void>
}

/** A benchmarked process, and what it has written to its log so far. */
export interface Measured {
  pid: number
  url: string
  log: { lines: number; bytes: number }
  stop: () => Promise<void>
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

async function forkUntilListening(file: string): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(`${import.meta.dirname}/${file}`, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const [{ url }] = await once(child, 'message')
  return { child, url }
}

export async function startOutside(): Promise<Outside> {
  const { child, url } = await forkUntilListening('instant-stand-ins.ts')
  const order = (what: Order) => child.send(what)
  return {
    url,
    process: async (messages) => {
      const empty = once(child, 'message')
      order({ kind: 'put', messages })
      await empty
      return undefined
    },
    setLatency: (milliseconds) => order({ kind: 'latency', milliseconds }),
    stop: () => stopChild(child)
  }
}

export async function startFloor(): Promise<Measured> {
  const { child, url } = await forkUntilListening('floor.ts')
  return {
    pid: child.pid!,
    url: `${url}/webhooks/cloudinary`,
    log: { lines: 0, bytes: 0 },
    stop: () => stopChild(child)
  }
}

export interface StartOptions {
  /** A command that runs what it is given as arguments, such as one that joins a cgroup first. */
  wrapper?: readonly string[]
}

/** Starts a role exactly as in production, but for what is outside; its log is counted and let go. */
export async function startRole(
  role: 'web' | 'worker',
  outside: Outside,
  { wrapper = [] }: StartOptions = {}
): Promise<Measured> {
  const queue = (name: string) => `${outside.url}/000000000000/${name}.fifo`
  const { apiKey, apiSecret, cloudName } = LOCAL_CLOUDINARY
  const [command = '', ...args] = [...wrapper, process.execPath, 'app/main.ts', role]
  const child = spawn(command, args, {
    env: {
      PATH: process.env.PATH,
      ...IMAGE_ENVIRONMENT,
      PORT: '0',
      HOST: '127.0.0.1',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'bench',
      AWS_SECRET_ACCESS_KEY: 'bench',
      AWS_ENDPOINT_URL: outside.url,
      CLOUDINARY_URL: `cloudinary://${apiKey}:${apiSecret}@${cloudName}?upload_prefix=${outside.url}`,
      QUEUE_URL: queue('bench'),
      DEAD_LETTER_QUEUE_URL: queue('bench-dead-letters'),
      JOURNAL_TABLE: 'bench-journal',
      METRICS_NAMESPACE: 'bench'
    },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const log = { lines: 0, bytes: 0 }
  const ready = Promise.withResolvers<string>()
  const decoder = new StringDecoder()
  let [isReady, start] = [false, '']
  child.once('exit', () => ready.reject(new Error(`${role} has ended:\n${start}`)))
  child.stdout.on('data', (chunk: Buffer) => {
    log.bytes += chunk.length
    for (const byte of chunk) if (byte === 10) log.lines++
    if (isReady) return
    start += decoder.write(chunk)
    const line = start.split('\n').find((text) => text.includes(`"${role} is ready"`))
    if (line === undefined) return
    isReady = true
    ready.resolve(String(JSON.parse(line).webhook ?? ''))
  })
  return { pid: child.pid!, url: await ready.promise, log, stop: () => stopChild(child) }
}
