import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'

/**
 * A client of DynamoDB for plain objects. The AWS SDK's own variables say where it is and who we are.
 *
 * @param maximumConnections how many calls may be under way; waiting for a connection counts as connecting
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
    // a map may have a key named `constructor`, which the SDK takes for that of a class instance
    { marshallOptions: { removeUndefinedValues: true, convertClassInstanceToMap: true } }
  )
}
