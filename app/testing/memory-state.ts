import type { State, StateStore } from '../journal/processor-state.ts'

/** In-memory state for tests. Values are stored as JSON, like in the journal. */
export function memoryState(): {
  state: State
  store: Pick<StateStore, 'of' | 'ofCommand'>
  entries: Map<string, string>
} {
  const entries = new Map<string, string>()
  const of = (owner: string): State => ({
    async get(key) {
      const value = entries.get(`${owner}/${key}`)
      return value === undefined ? undefined : JSON.parse(value)
    },
    async set(key, value) {
      entries.set(`${owner}/${key}`, JSON.stringify(value))
    },
    async delete(key) {
      entries.delete(`${owner}/${key}`)
    }
  })
  return { state: of('test'), store: { of, ofCommand: (command) => of(`command ${command}`) }, entries }
}
