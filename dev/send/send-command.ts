import { readFile } from 'node:fs/promises'
import { ListenerError } from '../../app/errors.ts'
import { advise, assetsOf, authorOf } from './send-advice.ts'
import { HELP, listing } from './send-help.ts'
import { deliver, isExpected, sendMany, summaryLines, type Transport } from './send-many.ts'
import { DEFECTS, readCommand, type SendOptions } from './send-options.ts'
import { makeRequest, type NotificationRequest } from './signed-request.ts'

export interface SendDependencies extends Transport {
  env: NodeJS.ProcessEnv
  now: () => Date
  print: (line: string) => void
}

/**
 * Runs `npm run send`.
 *
 * @returns the exit code: 0 when the listener answered as expected for the flags, otherwise 1
 */
export async function runSend(args: readonly string[], dependencies: SendDependencies): Promise<0 | 1> {
  const { env, print } = dependencies
  const command = readCommand(args, env)
  switch (command.action) {
    case 'help':
      print(HELP)
      return 0
    case 'list':
      print(listing())
      return 0
    case 'refuse':
      print(`${command.message}\nTry --help.`)
      return 1
    case 'send':
      return send(command.options, dependencies)
  }
}

async function send(options: SendOptions, dependencies: SendDependencies): Promise<0 | 1> {
  const { print, now } = dependencies
  try {
    const file = options.file === undefined ? undefined : await readFile(options.file)
    const make = (index: number) => makeRequest(options, index, now(), file)
    return options.count === 1
      ? await one(options, make(0), dependencies)
      : await many(options, make, dependencies)
  } catch (error) {
    if (error instanceof ListenerError || (error instanceof Error && 'syscall' in error)) {
      print(error.message)
      return 1
    }
    throw error
  }
}

async function one(
  options: SendOptions,
  request: NotificationRequest,
  dependencies: SendDependencies
): Promise<0 | 1> {
  const { print } = dependencies
  describe(options, request).forEach(print)
  const outcome = await deliver(options.url, request, dependencies)
  const ms = `in ${outcome.ms.toFixed(1)} ms`
  const answer =
    outcome.kind === 'answered' ? `${outcome.status} ${shortened(outcome.body)} ${ms}` : outcome.reason
  print(`Answer    ${answer}`)
  print(`Next      ${advise(options, request, outcome)}`)
  return isExpected(options, outcome) ? 0 : 1
}

async function many(
  options: SendOptions,
  make: (index: number) => NotificationRequest,
  dependencies: SendDependencies
): Promise<0 | 1> {
  const { print } = dependencies
  const first = make(0)
  const what = options.file === undefined ? 'each for another asset' : 'the same bytes every time'
  print(`Sending   ${options.count} notifications, ${what}, ${options.concurrency} at once; the first:`)
  describe(options, first).forEach(print)
  const summary = await sendMany(options, make, dependencies, print)
  summaryLines(summary).forEach(print)
  print(`Next      ${advise(options, first, summary.example)}`)
  return summary.unexpected === 0 ? 0 : 1
}

function describe(options: SendOptions, { body, notification }: NotificationRequest): string[] {
  const { credentials, defect } = options
  const name = options.file ?? [options.type, options.variant].filter(Boolean).join(', ')
  const [first, ...others] = assetsOf(notification)
  const ids = [first?.publicId, first?.assetId, others.length > 0 && `and ${others.length} more`].filter(
    Boolean
  )
  const error = defect === undefined ? '' : `; --${defect}: ${DEFECTS[defect].description}`
  const how = `${credentials.algorithm}, secret of key ${credentials.apiKey} (${credentials.cloudName})`
  return [
    `Sent      ${[name, ...ids, `${body.length} bytes`].join(', ')}`,
    `Made by   ${authorOf(notification)}`,
    `Signed    ${defect === 'unsigned' ? 'no' : how}${error}`,
    `To        ${options.url}`
  ]
}

function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
