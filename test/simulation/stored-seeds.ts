import { readdirSync, readFileSync } from 'node:fs'
import type { Guarantee } from './ledger/guarantee.ts'
import type { Plan } from './plan.ts'

/** A plan that found a defect once, or would find one. */
export interface StoredSeed {
  /** What it shows, in one sentence. */
  about: string
  guarantee: Guarantee
  /** The mutant that it finds; undefined for a defect of the real code, which is fixed. */
  mutant?: string
  plan: Plan
}

const DIRECTORY = new URL('seeds/', import.meta.url)

/** Reads the plans in `seeds/`. */
export function storedSeeds(): (StoredSeed & { file: string })[] {
  return readdirSync(DIRECTORY)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({ file, ...(JSON.parse(readFileSync(new URL(file, DIRECTORY), 'utf8')) as StoredSeed) }))
}
