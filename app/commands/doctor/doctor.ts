import type { Finding } from '../../processor.ts'
import type { Print } from '../arguments.ts'
import { explain } from '../explain-error.ts'
import { count, lineOf } from '../report-line.ts'

export interface Check {
  subject: string
  /** Finds nothing where there is nothing to check, since what it needs is at fault. A throw is a fault. */
  run: (signal: AbortSignal) => Promise<Finding[]>
}

export interface DoctorOptions {
  checks: Iterable<Check> | AsyncIterable<Check>
  print: Print
  /** How long one check may take, in milliseconds. */
  timeoutMs?: number
}

export const ok = (message: string): Finding => ({ level: 'ok', message })
export const warn = (message: string): Finding => ({ level: 'warning', message })
export const fault = (message: string): Finding => ({ level: 'fault', message })

/** Widths of the first columns, in characters: a later check may depend on what an earlier one has found. */
const LEVEL_WIDTH = 'warning'.length
const SUBJECT_WIDTH = 16

/** Checks everything, each on its own, and returns the exit code. */
export async function doctor({ checks, print, timeoutMs = 5000 }: DoctorOptions): Promise<number> {
  const found = { ok: 0, warning: 0, fault: 0 }
  for await (const check of checks) {
    for (const { level, message } of await findings(check, timeoutMs)) {
      found[level]++
      print(lineOf(level.padEnd(LEVEL_WIDTH), check.subject.padEnd(SUBJECT_WIDTH), message))
    }
  }
  print(`${count(found.fault, 'fault')}, ${count(found.warning, 'warning')}.`)
  return found.fault > 0 ? 1 : 0
}

/** Not every check heeds its signal: what loads a module cannot. */
async function findings({ run }: Check, timeoutMs: number): Promise<Finding[]> {
  const timeUp = new AbortController()
  const late = Promise.withResolvers<Finding[]>()
  const timer = setTimeout(() => {
    late.resolve([fault(`no answer within ${timeoutMs / 1000} s; check the network path to what it asks`)])
    timeUp.abort()
  }, timeoutMs)
  const found = await Promise.race([
    run(timeUp.signal).catch((error) => [fault(explain(error))]),
    late.promise
  ])
  clearTimeout(timer)
  return found
}
