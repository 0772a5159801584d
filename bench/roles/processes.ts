import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import type { Instruction, QueuedMessage } from './instant-stand-ins.ts'

/** Environment of the image: the `ENV` lines of the last stage of the Dockerfile. */
const IMAGE_ENVIRONMENT = Object.fromEntries(
  readFileSync(`${import.meta.dirname}/../../Dockerfile`, 'utf8')
    .replace(/^.*\nFROM /s, '')
    .matchAll(/^ENV (\w+)=(.*)$/gm)
    .map(([, name, value]) => [name, value])
)

export interface InstantStandIns {
  url: string
  /** Queues messages, and resolves when the worker has deleted all of them. */
  process: (messages: QueuedMessage[]) => Promise<undefined>
  setLatency: (milliseconds: number) => void
  stop: () => Promise<void>
}

/** A benchmarked process, with the size of its log so far. */
export interface MeasuredProcess {
  pid: number
  url: string
  log: { lines: number; bytes: number }
  stop: () => Promise<void>
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}

export async function forkUntilListening(file: string): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(`${import.meta.dirname}/../${file}`, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const [{ url }] = await once(child, 'message')
  return { child, url }
}

export async function startInstantStandIns(): Promise<InstantStandIns> {
  const { child, url } = await forkUntilListening('roles/instant-stand-ins.ts')
  const send = (instruction: Instruction) => child.send(instruction)
  return {
    url,
    process: async (messages) => {
      const empty = once(child, 'message')
      send({ kind: 'put', messages })
      await empty
      return undefined
    },
    setLatency: (milliseconds) => send({ kind: 'latency', milliseconds }),
    stop: () => stopChild(child)
  }
}

export async function startFloor(): Promise<MeasuredProcess> {
  const { child, url } = await forkUntilListening('roles/floor.ts')
  return {
    pid: child.pid!,
    url: `${url}/webhooks/cloudinary`,
    log: { lines: 0, bytes: 0 },
    stop: () => stopChild(child)
  }
}

export interface StartOptions {
  /** A command that runs its arguments, for example after it has joined a cgroup. */
  wrapper?: readonly string[]
}

/** Starts a role as in production, but on the stand-ins. Counts its log, and drops it. */
export async function startRole(
  role: 'web' | 'worker',
  standIns: InstantStandIns,
  { wrapper = [] }: StartOptions = {}
): Promise<MeasuredProcess> {
  const queue = (name: string) => `${standIns.url}/000000000000/${name}.fifo`
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
      AWS_ENDPOINT_URL: standIns.url,
      CLOUDINARY_URL: `cloudinary://${apiKey}:${apiSecret}@${cloudName}?upload_prefix=${standIns.url}`,
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
  child.once('exit', () => ready.reject(new Error(`${role} exited before it was ready:\n${start}`)))
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
