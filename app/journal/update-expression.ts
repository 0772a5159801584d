/** A change of an attribute. Each is idempotent, since the SDK may repeat a write. */
export type Change = { set: unknown } | { ifAbsent: unknown } | 'remove'

/** Returns the parts of a DynamoDB update: the expression, and a placeholder for each name and value. */
export function updateOf(changes: Record<string, Change>) {
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
  const expression = [
    `SET ${sets.join(', ')}`,
    ...(removes.length > 0 ? [`REMOVE ${removes.join(', ')}`] : [])
  ].join(' ')
  return { expression, names, values }
}
