import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'

/** A client of DynamoDB for plain objects. The AWS SDK's own variables say where it is and who we are. */
export function createDynamoDbClient(): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(
    new DynamoDBClient({
      maxAttempts: 4,
      requestHandler: { connectionTimeout: 1000, requestTimeout: 3000, throwOnRequestTimeout: true }
    }),
    { marshallOptions: { removeUndefinedValues: true } }
  )
}
