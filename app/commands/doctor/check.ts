import type { Finding } from '../../processor.ts'

/** One check of `doctor`. */
export interface Check {
  subject: string
  /**
   * Returns no findings if an earlier check failed and this one cannot run. A thrown error becomes a finding.
   */
  run: (signal: AbortSignal) => Promise<Finding[]>
}

export const ok = (message: string): Finding => ({ level: 'ok', message })
export const warn = (message: string): Finding => ({ level: 'warning', message })
export const fault = (message: string): Finding => ({ level: 'fault', message })
