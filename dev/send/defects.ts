/** What can be wrong, on purpose, with how a notification is signed. */
export const DEFECTS = {
  tampered: {
    code: 'SIGNATURE_INVALID',
    description: 'one byte of the body is changed after signing',
    meaning: 'the signature does not belong to these bytes'
  },
  stale: {
    code: 'SIGNATURE_EXPIRED',
    description: 'signed 3 hours ago',
    meaning: 'the timestamp is older than SIGNATURE_TOLERANCE_SECONDS (2 hours by default)'
  },
  future: {
    code: 'SIGNATURE_EXPIRED',
    description: 'signed 1 hour ahead of the clock',
    meaning: 'the timestamp is more than 300 s in the future'
  },
  unsigned: {
    code: 'SIGNATURE_MISSING',
    description: 'without the X-Cld-Signature and X-Cld-Timestamp headers',
    meaning: 'there is no signature to check, or its timestamp is not 10 digits'
  }
} as const

export type Defect = keyof typeof DEFECTS

/** How far from now a notification with this defect is signed, in seconds. */
export function signingOffset(defect: Defect | undefined): number {
  if (defect === 'stale') return -3 * 60 * 60
  return defect === 'future' ? 60 * 60 : 0
}
