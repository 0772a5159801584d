import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import type { Mutant } from './mutants.ts'

/** Returns the file that a mutant changes. Throws unless the file has the text of the mutant once. */
export function fileOf({ file, find }: Mutant): URL {
  const url = new URL(`../../${file}`, import.meta.url)
  const source = readFileSync(url, 'utf8')
  if (source.split(find).length !== 2)
    throw new Error(`the text of the mutant is not once in ${file}: ${find}`)
  return url
}

/** Replaces the text of a mutant when its file is loaded. Call it before the file is imported. */
export function mutate(mutant: Mutant): void {
  const { find, replace } = mutant
  const url = fileOf(mutant)
  registerHooks({
    load(loaded, context, nextLoad) {
      const result = nextLoad(loaded, context)
      if (loaded !== url.href) return result
      return { ...result, source: String(result.source).replace(find, () => replace) }
    }
  })
}
