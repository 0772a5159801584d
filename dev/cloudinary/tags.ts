export const TAG_COMMANDS = ['add', 'remove', 'replace', 'remove_all', 'set_exclusive'] as const

export type TagCommand = (typeof TAG_COMMANDS)[number]

/** Returns an asset's tags after a command. `set_exclusive` also removes the tags from all other assets. */
export function tagsAfter(command: TagCommand, tags: string[], before: string[]): string[] {
  switch (command) {
    case 'add':
    case 'set_exclusive':
      return [...new Set([...before, ...tags])]
    case 'remove':
      return before.filter((tag) => !tags.includes(tag))
    case 'replace':
      return [...new Set(tags)]
    case 'remove_all':
      return []
  }
}
