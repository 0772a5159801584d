import { createServer } from 'node:net'
import type { Test } from 'tap'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import type { CloudinaryStandIn } from '../../dev/cloudinary/cloudinary-server.ts'
import type { EmbeddedDynamoDb } from '../../dev/embedded-dynamodb.ts'
import type { EmbeddedSqs } from '../../dev/embedded-sqs.ts'
import { reportConfig } from '../../dev/start/report-config.ts'
import type { LogLine } from '../../dev/start/role-process.ts'
import { type System, type SystemOptions, startSystem } from '../../dev/start/system.ts'
import { COMPILE_CACHE } from './coverage.ts'
import { withShortPolls } from './short-polls.ts'

export interface SystemUnderTest extends System {
  cloudinary: CloudinaryStandIn
  sqs: EmbeddedSqs
  dynamoDb: EmbeddedDynamoDb
  /** All log lines of web and workers. */
  lines: LogLine[]
  /** Uploads assets as a colleague, and returns their public ids. */
  upload: (count: number, prefix?: string) => string[]
  /** Returns the assets without the tag of ./listener.config.ts. */
  untagged: (publicIds: readonly string[]) => string[]
}

/**
 * Environment of child processes. The shared compile cache saves a third of each start, and tap measures no
 * coverage there, which costs another third, unless `COVERED` is added.
 */
export const CHILD_ENVIRONMENT = {
  PATH: process.env.PATH ?? '',
  NODE_COMPILE_CACHE: COMPILE_CACHE,
  _TAPJS_PROCESSINFO_COVERAGE_: '0',
  LISTENER_CONFIG: './test/support/listener.config.ts'
}

/**
 * Starts the whole system as processes, on stand-ins. After the test, stops it, and fails if a log line
 * contains the API secret or a signature.
 */
export async function buildSystem(t: Test, options: Partial<SystemOptions> = {}): Promise<SystemUnderTest> {
  const lines: LogLine[] = []
  const port = String(await freePort())
  const system = await withShortPolls(() =>
    startSystem({
      ...options,
      environment: { ...CHILD_ENVIRONMENT, PORT: port, ...options.environment },
      // saves a process
      inspect: reportConfig,
      onLine: (line) => lines.push(line)
    })
  )
  const { cloudinary, sqs, dynamoDb } = system as Pick<SystemUnderTest, 'cloudinary' | 'sqs' | 'dynamoDb'>
  t.teardown(async () => {
    await system.stop()
    const log = lines.map((line) => JSON.stringify(line)).join('\n')
    const secrets = [
      LOCAL_CLOUDINARY.apiSecret,
      ...cloudinary.deliveries.map(({ headers }) => headers['x-cld-signature'])
    ]
    for (const secret of secrets) {
      if (secret && log.includes(secret)) throw new Error('the log contains a secret or a signature')
    }
    if (lines.length === 0) throw new Error('the log is empty, so the check for secrets proves nothing')
  })
  return {
    ...system,
    cloudinary,
    sqs,
    dynamoDb,
    lines,
    upload: (count, prefix = 'asset') =>
      Array.from({ length: count }, (_, index) => {
        const publicId = `${prefix}-${index}`
        cloudinary.as().upload({ publicId, resourceType: 'image' })
        return publicId
      }),
    untagged: (publicIds) =>
      publicIds.filter((publicId) => !cloudinary.assets.find(publicId)?.tags.includes('Hello World!'))
  }
}

/** Below the ports that Linux and macOS give to connections: one could take the port while a server restarts. */
const PORTS = { from: 20_000, count: 12_000 }

/** Returns a free port. A role that restarts must keep its address, so it cannot choose one itself. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * PORTS.count)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
