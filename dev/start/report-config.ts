import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { ConfigContent } from './inspect-config.ts'

/**
 * Run by `inspectConfigFile` as a process of its own, since a process cannot load a changed file again: loads the file that a
 * user edits and reports to the parent what is in it, and which files it imports.
 */
const files = new Set<string>()
const note = (url: string) => {
  if (url.startsWith('file:') && !url.includes('/node_modules/')) files.add(fileURLToPath(url))
}

registerHooks({
  resolve(specifier, context, nextResolve) {
    try {
      const resolved = nextResolve(specifier, context)
      note(resolved.url)
      return resolved
    } catch (error) {
      // once it is there, the file that imports it can be loaded
      if (/^(?:\.\.?\/|file:)/.test(specifier)) note(new URL(specifier, context.parentURL).href)
      // or this file would be taken for the one that has the import
      const { stack } = error as Error
      Object.assign(error as Error, { stack: stack?.replace(/^ +at resolve .*report-config\.ts.*\n?/gm, '') })
      throw error
    }
  }
})

// imported with the hook in place, so that it sees what the user's file shares with it
const { loadListener } = await import('../../app/listener-config/load-listener.ts')
const { examplesOf, nameOf } = await import('../../app/listener-config/requirements.ts')
const report = await loadListener(process.argv[2]!).then(
  ({ processors }): ConfigContent => ({
    outcome: 'loaded',
    processors: processors.map(({ name, requires = [] }) => ({
      name,
      requires: requires.map(nameOf),
      examples: examplesOf(requires)
    }))
  }),
  ({ message, cause }: Error): ConfigContent => ({
    outcome: 'invalid',
    message,
    stack: cause instanceof Error ? String(cause.stack) : ''
  })
)
process.send?.({ ...report, files: [...files] }, () => process.exit())
