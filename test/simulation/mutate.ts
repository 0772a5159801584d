import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import type { Mutant } from './mutants.ts'

/** Replaces the text of a mutant when its file is loaded. Call it before the file is imported. */
export function mutate({ file, find, replace }: Mutant): void {
  const url = new URL(`../../${file}`, import.meta.url)
  const source = readFileSync(url, 'utf8')
  if (source.split(find).length !== 2)
    throw new Error(`the text of the mutant is not once in ${file}: ${find}`)
  registerHooks({
    load(loaded, context, nextLoad) {
      const result = nextLoad(loaded, context)
      if (loaded !== url.href) return result
      return { ...result, source: String(result.source).replace(find, () => replace) }
    }
  })
}
