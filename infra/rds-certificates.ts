import { readFileSync } from 'node:fs'

/** File in the image with the certificate authorities of Amazon RDS; relative to its working directory. */
export const RDS_CERTIFICATES = 'app/processors/database-sync/amazon-rds.pem'

/** Returns the regions whose certificate authorities the image has. */
export function regionsOfRds(): ReadonlySet<string> {
  const text = readFileSync(`${import.meta.dirname}/../${RDS_CERTIFICATES}`, 'utf8')
  return new Set([...text.matchAll(/^# Amazon RDS (\S+) Root CA /gm)].map(([, region]) => region!))
}
