import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

/** The parts of a processor that a start needs. */
export interface ProcessorSummary {
  name: string
  /** Names of required variables. */
  requires: readonly string[]
  /** Example values of the processor's own variables, by name. */
  examples: Readonly<Record<string, string>>
}

/** The content of the listener's configuration, or the reason why it cannot be loaded. */
export type ConfigContent =
  | { outcome: 'loaded'; processors: readonly ProcessorSummary[]; schedules: readonly string[] }
  /** The message is one line: file and line, the error, and the correction. */
  | { outcome: 'invalid'; message: string; stack: string }

export type ConfigReport = ConfigContent & {
  /** Absolute paths of the file and its imports, including missing ones, without those in node_modules. */
  files: readonly string[]
}

/** Loads the listener's configuration and reports its content and the files that it imports. Never throws. */
export async function reportConfig(path: string): Promise<ConfigReport> {
  const files = new Set<string>()
  const add = (url: string) => {
    if (url.startsWith('file:') && !url.includes('/node_modules/')) files.add(fileURLToPath(url))
  }
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      try {
        const resolved = nextResolve(specifier, context)
        add(resolved.url)
        return resolved
      } catch (error) {
        // creating the missing file may correct the error
        if (/^(?:\.\.?\/|file:)/.test(specifier)) add(new URL(specifier, context.parentURL).href)
        // without this frame, the error points at the file that has the import
        const { stack } = error as Error
        Object.assign(error as Error, {
          stack: stack?.replace(/^ +at resolve .*report-config\.ts.*\n?/gm, '')
        })
        throw error
      }
    }
  })
  // imported after the hook, so that it also sees the files that the configuration shares with it
  const { loadListener } = await import('../../app/listener-config/load-listener.ts')
  const { examplesOf, nameOf } = await import('../../app/listener-config/requirements.ts')
  const { schedulesOf } = await import('../../app/schedules/listener-schedules.ts')
  const content = await loadListener(path).then(
    (listener): ConfigContent => ({
      outcome: 'loaded',
      schedules: schedulesOf(listener).map(({ name }) => name),
      processors: listener.processors.map(({ name, requires = [] }) => ({
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
  hooks.deregister()
  return { ...content, files: [...files] }
}

if (import.meta.main) process.send?.(await reportConfig(process.argv[2]!), () => process.exit())
