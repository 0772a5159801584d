import { singleLine } from '../single-line.ts'

/**
 * Limits of SNS, which rejects a message over any of them.
 * Source: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
 */
const SUBJECT_CHARACTERS = 99
const SMS_CHARACTERS = 1600
const TOPIC_BYTES = 262_144

/** Marks text that was cut. Three bytes in UTF-8. */
const ELLIPSIS = '…'

/** Cuts a subject to one line of less than 100 characters; undefined if nothing is left. */
export const fitSubject = (text: string): string | undefined =>
  cutCharacters(printable(singleLine(text)), SUBJECT_CHARACTERS) || undefined

/** Cuts an SMS to 1600 characters, which SNS sends in parts. */
export const fitSms = (text: string): string => cutCharacters(text, SMS_CHARACTERS)

/**
 * Cuts the text for a topic to 256 KiB of UTF-8, including its attributes.
 *
 * @param attributeBytes size of the attributes
 */
export function fitTopic(text: string, attributeBytes: number): string {
  const limit = TOPIC_BYTES - attributeBytes
  const bytes = Buffer.from(text)
  if (bytes.length <= limit) return text
  // with `stream`, the decoder leaves out an incomplete character
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  return decoder.decode(bytes.subarray(0, limit - 3), { stream: true }) + ELLIPSIS
}

/** Removes characters that XML, and so SNS, does not allow. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
  return text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
}

/** Counts UTF-16 units, the stricter way, and does not split a surrogate pair. */
function cutCharacters(text: string, limit: number): string {
  if (text.length <= limit) return text
  const end = limit - ELLIPSIS.length
  const splitsPair = /[\ud800-\udbff]/.test(text.charAt(end - 1))
  return text.slice(0, splitsPair ? end - 1 : end) + ELLIPSIS
}
