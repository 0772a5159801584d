import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  DynamoDBServiceException
} from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, UpdateCommand, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { type ServiceFailure, sendDirectly } from '../send-directly.ts'
import type { Tracing } from '../tracing/tracing.ts'

// the SDK mistakes a map with a key named `constructor` for a class instance
const MARSHALL = { removeUndefinedValues: true, convertClassInstanceToMap: true } as const

/**
 * Creates a client of DynamoDB for plain objects. Region, endpoint and credentials come from the AWS SDK's
 * own variables.
 *
 * @param maximumConnections maximum number of calls in flight; more would time out while they connect
 */
export function createDynamoDbClient(maximumConnections = 50, tracing?: Tracing): DynamoDBDocumentClient {
  const agent = { maxSockets: maximumConnections }
  const client = new DynamoDBClient({
    maxAttempts: 4,
    requestHandler: {
      connectionTimeout: 1000,
      requestTimeout: 3000,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent
    }
  })
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: MARSHALL })
  documents.send = sendDirectly({
    client,
    target: 'DynamoDB_20120810',
    operationOf: (command) =>
      command instanceof UpdateCommand && !command.input.ReturnValues ? 'UpdateItem' : undefined,
    send: documents.send.bind(documents) as never,
    finalError,
    encode: (input) => encodeUpdate(input as UpdateCommandInput)
  }) as typeof documents.send
  if (tracing) documents.send = traced(documents.send, tracing)
  return documents
}

type Send = DynamoDBDocumentClient['send']

function traced(send: Send, tracing: Tracing): Send {
  const call = send as unknown as (command: TracedCommand, ...rest: unknown[]) => Promise<unknown>
  const withSpan: typeof call = (command, ...rest) =>
    tracing.dynamoDb(operationOf(command), tableOf(command), () => call(command, ...rest))
  return withSpan as unknown as Send
}

interface TracedCommand {
  constructor: { name: string }
  input: { TableName?: string; RequestItems?: object }
}

const tableOf = ({ input: { TableName, RequestItems = {} } }: TracedCommand): string =>
  TableName ?? Object.keys(RequestItems).join()

/** Names of commands of the document client lack the last word of the operation, such as `Item`. */
function operationOf(command: TracedCommand): string {
  const name = command.constructor.name.replace(/Command$/, '')
  return /^(Get|Put|Update|Delete|BatchGet)$/.test(name) ? `${name}Item` : name
}

/**
 * Returns an error that a retry cannot fix: a write whose condition failed is normal, and would fail again.
 */
function finalError(failure: ServiceFailure): Error | undefined {
  switch (failure.name) {
    case 'ConditionalCheckFailedException':
      return new ConditionalCheckFailedException(failure)
    case 'ValidationException':
      return new DynamoDBServiceException({ ...failure, $fault: 'client' })
    default:
      return undefined
  }
}

interface Attribute {
  B?: unknown
  BS?: Uint8Array[]
  L?: Attribute[]
  M?: Record<string, Attribute>
}

/**
 * Replaces binary values with base64. `JSON.stringify` would first convert a Buffer into a list of numbers.
 */
function encodeBinary(attribute: Attribute): void {
  if (attribute.B) attribute.B = base64Of(attribute.B as Uint8Array)
  else if (attribute.BS) Object.assign(attribute, { BS: attribute.BS.map(base64Of) })
  else if (attribute.L) attribute.L.forEach(encodeBinary)
  else if (attribute.M) Object.values(attribute.M).forEach(encodeBinary)
}

const base64Of = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64')

function encode(fields: Record<string, unknown> | undefined): Record<string, Attribute> | undefined {
  const M = fields && marshall(fields, { ...MARSHALL, convertTopLevelContainer: false })
  if (M) encodeBinary({ M })
  return M
}

/** Encodes an update as DynamoDB's JSON. */
const encodeUpdate = ({ Key, ExpressionAttributeValues: values, ...input }: UpdateCommandInput): string =>
  JSON.stringify({ ...input, Key: encode(Key), ExpressionAttributeValues: encode(values) })
