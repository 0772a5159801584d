import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import type { Counts, Instruction, QueuedMessage, Service } from './stand-ins/instructions.ts'

const ROOT = `${import.meta.dirname}/../..`

/** Environment of the image: the `ENV` lines of the production stage of the Dockerfile. */
const IMAGE_ENVIRONMENT: NodeJS.ProcessEnv = Object.fromEntries(
  readFileSync(`${ROOT}/Dockerfile`, 'utf8')
    .matchAll(/^ENV (\w+)=(.*)$/gm)
    .map(([, name, value]) => [name, value])
)

let compileCache: string | undefined

/** Returns a directory with the compiled code of the roles, as the image has it. */
function compiledCode(): string {
  if (compileCache) return compileCache
  const directory = mkdtempSync(join(tmpdir(), 'bench-compile-cache-'))
  compileCache = directory
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const env = { PATH: process.env.PATH, ...IMAGE_ENVIRONMENT, NODE_COMPILE_CACHE: directory }
  for (const file of ['listener-config/check-listener', 'warm-compile-cache'])
    execFileSync(process.execPath, [`app/${file}.ts`], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'ignore', 'inherit']
    })
  return directory
}

export interface InstantStandIns {
  pid: number
  url: string
  /** Fills a queue: repeats messages without end, until an empty list stops it. */
  generate: (queue: string, messages: QueuedMessage[]) => void
  /** Sets the duration of the calls to a service. */
  delay: (service: Service, milliseconds: number) => void
  count: (queue: string) => Promise<Counts>
  stop: () => Promise<void>
}

/** A benchmarked process. */
export interface MeasuredProcess {
  pid: number
  url: string
  stop: () => Promise<void>
}

/** A process of the benchmark that is instructed by messages. */
export interface Peer extends MeasuredProcess {
  child: ChildProcess
}

const running = new Set<ChildProcess>()
// even after Ctrl-C or an error, no child outlives the benchmark
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

function track(child: ChildProcess): ChildProcess {
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** Resolves with the next message of a child. @throws {Error} if it exits before */
export async function nextMessage(child: ChildProcess) {
  const settled = new AbortController()
  const exited = once(child, 'exit', { signal: settled.signal }).then(() => {
    throw new Error(`${child.spawnargs.slice(1).join(' ')} exited`)
  })
  try {
    return (await Promise.race([once(child, 'message'), exited]))[0]
  } finally {
    settled.abort()
  }
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}

export async function startInstantStandIns(): Promise<InstantStandIns> {
  const child = track(fork(`${import.meta.dirname}/stand-ins/instant-stand-ins.ts`))
  const { url } = await nextMessage(child)
  const send = (instruction: Instruction) => child.send(instruction)
  return {
    pid: child.pid!,
    url,
    generate: (queue, messages) => send({ kind: 'generate', queue, messages }),
    delay: (service, milliseconds) => send({ kind: 'delay', service, milliseconds }),
    count: async (queue) => {
      const answer = nextMessage(child)
      send({ kind: 'count', queue })
      return answer
    },
    stop: () => stopChild(child)
  }
}

/** The queue of processes that share one. */
export const SHARED_QUEUE = 'bench'

/** The environment of a process that calls the stand-ins. */
const environmentOn = ({ url }: InstantStandIns, queue: string): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  NODE_ENV: 'production',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  AWS_ENDPOINT_URL: url,
  QUEUE_URL: `${url}/000000000000/${queue}.fifo`
})

export interface PeerOptions {
  args?: string[]
  /** Name of its queue. */
  queue?: string
  /** (Default: any free port) */
  port?: number
}

/** Starts a file of `peers/`, with the defaults of Node.js, and waits until it listens. */
export async function startPeer(
  name: string,
  standIns: InstantStandIns,
  { args = [], queue = SHARED_QUEUE, port = 0 }: PeerOptions = {}
): Promise<Peer> {
  const child = track(
    fork(`${import.meta.dirname}/peers/${name}.ts`, args, {
      env: { ...environmentOn(standIns, queue), PORT: String(port) },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc']
    })
  )
  child.stdout?.resume()
  const { url } = await nextMessage(child)
  return { pid: child.pid!, url, child, stop: () => stopChild(child) }
}

export interface StartOptions {
  /** A command that runs its arguments, for example after it has joined a cgroup. */
  wrapper?: readonly string[]
  /** Path of the listener configuration. (Default: that of the repository) */
  config?: string
  /** Name of its queue. */
  queue?: string
  /** (Default: any free port) */
  port?: number
}

/** Starts a role as in production, but on the stand-ins. Drops its log, and waits until it is ready. */
export async function startRole(
  role: 'web' | 'worker',
  standIns: InstantStandIns,
  { wrapper = [], config, queue = SHARED_QUEUE, port = 0 }: StartOptions = {}
): Promise<MeasuredProcess> {
  const { apiKey, apiSecret, cloudName } = LOCAL_CLOUDINARY
  const [command = '', ...args] = [...wrapper, process.execPath, 'app/main.ts', role]
  const child = spawn(command, args, {
    env: {
      ...environmentOn(standIns, queue),
      ...IMAGE_ENVIRONMENT,
      NODE_COMPILE_CACHE: compiledCode(),
      PORT: String(port),
      HOST: '127.0.0.1',
      CLOUDINARY_URL: `cloudinary://${apiKey}:${apiSecret}@${cloudName}?upload_prefix=${standIns.url}`,
      DEAD_LETTER_QUEUE_URL: `${standIns.url}/000000000000/bench-dead-letters.fifo`,
      JOURNAL_TABLE: 'bench-journal',
      METRICS_NAMESPACE: 'bench',
      ...(config && { LISTENER_CONFIG: config })
    },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  track(child)
  const ready = Promise.withResolvers<string>()
  const decoder = new StringDecoder()
  let [isReady, start] = [false, '']
  child.once('exit', () => ready.reject(new Error(`${role} exited before it was ready:\n${start}`)))
  child.stdout.on('data', (chunk: Buffer) => {
    if (isReady) return
    start += decoder.write(chunk)
    const line = start.split('\n').find((text) => text.includes(`"${role} is ready"`))
    if (line === undefined) return
    isReady = true
    ready.resolve(String(JSON.parse(line).webhook ?? ''))
  })
  return { pid: child.pid!, url: await ready.promise, stop: () => stopChild(child) }
}
