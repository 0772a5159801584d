import type { ActivityEventDetail } from '../activity-store.ts'

/** Maximum length of a payload in a command, in characters: shells limit arguments. */
const LONGEST = 60_000

const WEBHOOK = 'http://127.0.0.1:8080/webhooks/cloudinary'

/** Returns a command that sends a sample of the same type, about the same asset, to a listener on this machine. */
export function sendCommand({
  type,
  asset,
  origin
}: Pick<ActivityEventDetail, 'type' | 'asset' | 'origin'>): string {
  const { publicId, resourceType } = asset ?? {}
  return [
    'npm run send --',
    type,
    ...(publicId ? ['--public-id', quoted(publicId)] : []),
    ...(resourceType ? ['--resource-type', quoted(resourceType)] : []),
    ...(origin.own ? ['--own'] : origin.source === 'ui' ? ['--ui'] : [])
  ].join(' ')
}

/**
 * Returns a command that sends the notification with a new signature, made with `$CLOUDINARY_API_SECRET`.
 * Returns undefined if the payload is unknown or too long.
 */
export function curlCommand(payload: unknown): string | undefined {
  const body = payload === undefined ? undefined : JSON.stringify(payload)
  if (body === undefined || body.length > LONGEST) return undefined
  return [
    `BODY=${quoted(body)}`,
    'TIMESTAMP=$(date +%s)',
    `SIGNATURE=$(printf '%s' "$BODY$TIMESTAMP$CLOUDINARY_API_SECRET" | openssl dgst -sha1 -r | cut -d' ' -f1)`,
    `curl -i ${WEBHOOK} -H 'Content-Type: application/json' \\`,
    '  -H "X-Cld-Timestamp: $TIMESTAMP" -H "X-Cld-Signature: $SIGNATURE" --data-binary "$BODY"'
  ].join('\n')
}

/**
 * Quotes a text as one word of a POSIX shell. Removes control characters other than line feeds: a terminal
 * would interpret them when a user pastes the command.
 */
export const quoted = (text: string): string =>
  `'${text
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression removes them
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '')
    .replaceAll("'", `'\\''`)}'`
