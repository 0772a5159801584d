import { once } from 'node:events'
import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'
import { journalTableInput } from '../app/journal/journal-table.ts'

export interface EmbeddedDynamoDb {
  /** The endpoint. */
  readonly url: string
  readonly tableName: string
  /** Variables that point the AWS SDK of a process here. */
  readonly environment: Readonly<Record<string, string>>
  /** Lets a test answer requests itself. */
  readonly server: Server
  stop(): Promise<void>
}

export interface DynamoDbOptions {
  /** Port to listen on. (Default: any free port) */
  port?: number
  /** Address to listen on. (Default: 127.0.0.1) */
  host?: string
  /** Name or address of this machine for others. (Default: the host) */
  advertisedHost?: string
}

export const JOURNAL_TABLE_NAME = 'cloudinary-journal'

const REGION = 'us-east-1'
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' }

/** Maximum duration of operations whose clients have left, in milliseconds. */
const LAST_OPERATIONS_MS = 1000

/** Seconds. */
const TABLE_WAIT = { maxWaitTime: 10, minDelay: 0.01, maxDelay: 0.1 }

/**
 * Starts DynamoDB in memory, with the journal's table. Accepts any credentials, and ignores the time to live.
 *
 * @throws {Error} EADDRINUSE for a taken port
 */
export async function startDynamoDb(options: DynamoDbOptions = {}): Promise<EmbeddedDynamoDb> {
  const { port = 0, host = '127.0.0.1' } = options
  const local = host === '0.0.0.0' ? '127.0.0.1' : host
  const server = dynalite({ createTableMs: 0 }).listen(port, host)
  await once(server, 'listening')
  const operations = followOperations(server)
  const address = server.address() as AddressInfo
  await createTable(`http://${local}:${address.port}`)
  const url = `http://${options.advertisedHost ?? local}:${address.port}`
  return {
    url,
    tableName: JOURNAL_TABLE_NAME,
    environment: {
      AWS_ENDPOINT_URL_DYNAMODB: url,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_PROFILE: '' // a profile would take precedence over the credentials
    },
    server,
    stop: async () => {
      server.on('connection', (socket) => socket.destroy())
      server.closeAllConnections()
      await Promise.race([operations.idle(), pause(LAST_OPERATIONS_MS)])
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

/**
 * Follows the operations of a server, whose clients may have left. Dynalite throws where nobody can catch it if
 * its database closes during one.
 */
function followOperations(server: Server): { idle: () => Promise<void> } {
  const running = new Set<ServerResponse>()
  let onEnd = () => {}
  server.prependListener('request', (request, response) => {
    // an operation starts with the end of its request
    request.once('end', () => running.add(response))
    const { end } = response
    response.end = ((...given: unknown[]) => {
      running.delete(response)
      onEnd()
      return Reflect.apply(end, response, given)
    }) as typeof end
  })
  return {
    idle: () =>
      new Promise((resolve) => {
        onEnd = () => {
          if (running.size === 0) resolve()
        }
        onEnd()
      })
  }
}

async function createTable(endpoint: string): Promise<void> {
  const client = new DynamoDBClient({ endpoint, region: REGION, credentials: CREDENTIALS })
  try {
    await client.send(new CreateTableCommand(journalTableInput(JOURNAL_TABLE_NAME)))
    await waitUntilTableExists({ client, ...TABLE_WAIT }, { TableName: JOURNAL_TABLE_NAME })
  } finally {
    client.destroy()
  }
}
