/** What becomes of an attribute: `ifAbsent` leaves one that is there as it is. */
export type Change = { set: unknown } | { ifAbsent: unknown } | { add: number }

/** The parts of DynamoDB's update expression, with a placeholder for each name and value. */
export function updateOf(changes: Record<string, Change>) {
  const update = {
    set: [] as string[],
    add: [] as string[],
    names: {} as Record<string, string>,
    values: {} as Record<string, unknown>
  }
  for (const [name, change] of Object.entries(changes)) {
    update.names[`#${name}`] = name
    if ('add' in change) {
      update.add.push(`#${name} :${name}`)
      update.values[`:${name}`] = change.add
    } else if ('set' in change) {
      update.set.push(`#${name} = :${name}`)
      update.values[`:${name}`] = change.set
    } else {
      update.set.push(`#${name} = if_not_exists(#${name}, :${name})`)
      update.values[`:${name}`] = change.ifAbsent
    }
  }
  return update
}
