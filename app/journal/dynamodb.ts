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

/** Commands of the document client leave out the last word of an operation. */
function operationOf(command: TracedCommand): string {
  const name = command.constructor.name.replace(/Command$/, '')
  return /^(Get|Put|Update|Delete|BatchGet)$/.test(name) ? `${name}Item` : name
}

/** A rejected write is part of normal operation, and would be rejected again. */
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

const encode = (fields: Record<string, unknown> | undefined) =>
  fields && marshall(fields, { ...MARSHALL, convertTopLevelContainer: false })

/** Encodes an update as DynamoDB's JSON, in which binary values are base64. */
function encodeUpdate({ Key, ExpressionAttributeValues: values, ...input }: UpdateCommandInput): string {
  return JSON.stringify(
    {
      ...input,
      Key: encode(Key),
      ExpressionAttributeValues: encode(values)
    },
    function (this: Record<string, unknown>, name, value: unknown) {
      // `value` is no longer binary: a Buffer converts itself into a list of numbers
      const given = this[name]
      return given instanceof Uint8Array ? Buffer.from(given).toString('base64') : value
    }
  )
}
