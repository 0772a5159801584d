import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { JOURNAL, type JournalTable } from './journal-table.ts'
import type { WriteCondition } from './write-conditions.ts'

/** A change of an attribute. Each is idempotent, since the SDK may repeat a write. */
export type Change = { set: unknown } | { ifAbsent: unknown } | 'remove'

/**
 * Changes an item, or creates it if the condition allows that.
 *
 * @returns false if the condition is not met
 */
export async function updateItem(
  { client, tableName }: JournalTable,
  id: string,
  changes: Record<string, Change>,
  condition: WriteCondition
): Promise<boolean> {
  const { expression, names, values } = expressionOf(changes)
  try {
    await client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: { [JOURNAL.partitionKey]: id },
        UpdateExpression: expression,
        ConditionExpression: condition.expression,
        ExpressionAttributeNames: { ...names, ...condition.names },
        ExpressionAttributeValues: { ...values, ...condition.values }
      })
    )
    return true
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false
    throw error
  }
}

/** Each name and value gets a placeholder, since a name may be a reserved word. */
function expressionOf(changes: Record<string, Change>) {
  const sets: string[] = []
  const removes: string[] = []
  const names: Record<string, string> = {}
  const values: Record<string, unknown> = {}
  for (const [name, change] of Object.entries(changes)) {
    names[`#${name}`] = name
    if (change === 'remove') {
      removes.push(`#${name}`)
    } else if ('set' in change) {
      sets.push(`#${name} = :${name}`)
      values[`:${name}`] = change.set
    } else {
      sets.push(`#${name} = if_not_exists(#${name}, :${name})`)
      values[`:${name}`] = change.ifAbsent
    }
  }
  const remove = removes.length > 0 ? ` REMOVE ${removes.join(', ')}` : ''
  return { expression: `SET ${sets.join(', ')}${remove}`, names, values }
}
