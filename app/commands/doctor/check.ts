import type { Finding } from '../../processor.ts'

/** One check of `doctor`. */
export interface Check {
  subject: string
  /** Returns nothing if a failed earlier check makes it impossible. An error is a fault. */
  run: (signal: AbortSignal) => Promise<Finding[]>
}

export const ok = (message: string): Finding => ({ level: 'ok', message })
export const warn = (message: string): Finding => ({ level: 'warning', message })
export const fault = (message: string): Finding => ({ level: 'fault', message })
