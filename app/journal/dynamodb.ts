import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'

/**
 * Creates a client of DynamoDB for plain objects. Region, endpoint and credentials come from the AWS SDK's
 * own variables.
 *
 * @param maximumConnections maximum number of calls in flight; more would time out while they connect
 */
export function createDynamoDbClient(maximumConnections = 50): DynamoDBDocumentClient {
  const agent = { maxSockets: maximumConnections }
  return DynamoDBDocumentClient.from(
    new DynamoDBClient({
      maxAttempts: 4,
      requestHandler: {
        connectionTimeout: 1000,
        requestTimeout: 3000,
        throwOnRequestTimeout: true,
        httpAgent: agent,
        httpsAgent: agent
      }
    }),
    // the SDK mistakes a map with a key named `constructor` for a class instance
    { marshallOptions: { removeUndefinedValues: true, convertClassInstanceToMap: true } }
  )
}
