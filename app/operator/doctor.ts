import type { Print } from './arguments.ts'
import { explain } from './explain.ts'
import { count, lineOf } from './text.ts'

export const DOCTOR_USAGE = `Usage: node app/main.ts doctor

Checks what the listener needs, one line a check: configuration, credentials, processors, queues, table, Cloudinary,
clock. Changes nothing. Run it where the listener runs, with its environment and its role.

Exit code: 0 when there is no fault; 1 when there is one; 2 for a wrong option. A warning is no fault.
`

/** What a check has found. On a fault or a warning the message says what to do as well. */
export interface Finding {
  level: 'ok' | 'warn' | 'fault'
  message: string
}

export interface Check {
  subject: string
  /** Finds nothing where there is nothing to check, since what it needs is at fault. A throw is a fault. */
  run: (signal: AbortSignal) => Promise<Finding[]>
}

export interface DoctorOptions {
  checks: readonly Check[]
  print: Print
  /** How long one check may take, in milliseconds. */
  timeoutMs?: number
}

export const ok = (message: string): Finding => ({ level: 'ok', message })
export const warn = (message: string): Finding => ({ level: 'warning', message })
export const fault = (message: string): Finding => ({ level: 'fault', message })

/** Checks everything, each on its own, and returns the exit code. */
export async function doctor({ checks, print, timeoutMs = 5000 }: DoctorOptions): Promise<number> {
  const width = Math.max(...checks.map(({ subject }) => subject.length))
  const found = { ok: 0, warn: 0, fault: 0 }
  for (const check of checks) {
    for (const { level, message } of await findings(check, timeoutMs)) {
      found[level]++
      print(lineOf(level.padEnd(5), check.subject.padEnd(width), message))
    }
  }
  print(`${count(found.fault, 'fault')}, ${count(found.warn, 'warning')}.`)
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
