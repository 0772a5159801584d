import { toEvents } from '../../app/ingest/notification.ts'
import { PAYLOADS } from '../../app/ingest/payloads/payloads.ts'

/** Returns where the payloads of a notification do not fit the schema of its type. */
export function misfitsIn(notification: object): string[] {
  const events = toEvents(Buffer.from(JSON.stringify(notification)), {
    environment: 'demo',
    isOwnKey: () => false,
    receivedAt: new Date(),
    signedAt: Math.floor(Date.now() / 1000)
  })
  return events.flatMap(({ type, notificationType, payload }) => {
    if (type === 'unknown') return [`${notificationType} has no schema`]
    const { error } = PAYLOADS[type].safeParse(payload)
    return error ? error.issues.map(({ path, message }) => `${type} ${path.join('.')}: ${message}`) : []
  })
}
