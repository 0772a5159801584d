/**
 * What SNS takes; everything else would be refused, and with it the message.
 * Source: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
 */
const SUBJECT_CHARACTERS = 99
const SMS_CHARACTERS = 1600
const TOPIC_BYTES = 262_144

/** For what is cut; three bytes. */
const ELLIPSIS = '…'

/** A subject: one line of less than 100 characters, or undefined where nothing is left. */
export function fitSubject(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const line = text.replace(/[\u0000-\u0020\u007f-\u009f\u2028\u2029]+/g, ' ').trim()
  return cutCharacters(printable(line), SUBJECT_CHARACTERS) || undefined
}

/** The text of an SMS: at most 1600 characters, which SNS sends in parts. */
export const fitSms = (text: string): string => cutCharacters(text, SMS_CHARACTERS)

/**
 * The text for a topic: at most 256 KiB of UTF-8, together with its attributes.
 *
 * @param taken bytes that the attributes take
 */
export function fitTopic(text: string, taken: number): string {
  const limit = TOPIC_BYTES - taken
  const bytes = Buffer.from(text)
  if (bytes.length <= limit) return text
  // a decoder that awaits more leaves out a character that is cut in two
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  return decoder.decode(bytes.subarray(0, limit - 3), { stream: true }) + ELLIPSIS
}

/** Without what XML has no words for: SNS could not hand it on. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
}

/** Counted as UTF-16, the longer of the two ways to count; a character is not cut in two. */
function cutCharacters(text: string, limit: number): string {
  if (text.length <= limit) return text
  const end = limit - ELLIPSIS.length
  const isCutInTwo = /[\ud800-\udbff]/.test(text.charAt(end - 1))
  return text.slice(0, isCutInTwo ? end - 1 : end) + ELLIPSIS
}
