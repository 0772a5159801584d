import type { AssetEvent } from '../../ingest/event.ts'
import type { Logger } from '../../logger.ts'
import type { DeadLetter } from '../../processor.ts'
import { singleLine } from '../single-line.ts'
import { type ChatItem, cleanText, cut } from './chat-message.ts'

/** Minimum time between two messages, in milliseconds. */
export const INTERVAL_MS = 60_000

/** Maximum number of dead letters that a message names. */
const MAX_NAMED = 5

/** Maximum length of the reason of one, in characters. */
const MAX_REASON = 200

export interface DigestOptions {
  post: (item: ChatItem) => Promise<void>
  log: Logger
  /** Milliseconds since the epoch. */
  clock: () => number
  /** Calls a function later. Returns a function that cancels the call. */
  schedule: (milliseconds: number, call: () => void) => () => void
}

/**
 * Posts about dead letters: at once for the first one, then at most once a minute, with a count. If a message
 * cannot be posted, logs that, and adds its dead letters to the next one.
 */
export class DeadLetterDigest {
  readonly #options: DigestOptions
  #count = 0
  /** A line about each of the first dead letters. */
  #named: string[] = []
  #environments = new Set<string>()
  #nextAt = Number.NEGATIVE_INFINITY
  #cancel: (() => void) | undefined
  #posting: Promise<void> | undefined
  #isStopped = false

  constructor(options: DigestOptions) {
    this.#options = options
  }

  /** Adds a dead letter. Returns at once. */
  add(event: AssetEvent, letter: DeadLetter): void {
    this.#count++
    this.#environments.add(event.environment)
    if (this.#named.length < MAX_NAMED) this.#named.push(lineAbout(event, letter))
    this.#plan()
  }

  /** Posts what is left. Resolves when it is posted or has failed. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    await this.#posting
    await this.#post()
  }

  #plan(): void {
    if (this.#isStopped || this.#cancel || this.#posting || this.#count === 0) return
    const { clock, schedule } = this.#options
    const waitMs = this.#nextAt - clock()
    if (waitMs <= 0) {
      void this.#post()
      return
    }
    this.#cancel = schedule(waitMs, () => {
      this.#cancel = undefined
      void this.#post()
    })
  }

  async #post(): Promise<void> {
    if (this.#count === 0) return
    const [count, named, environments] = [this.#count, this.#named, this.#environments]
    this.#count = 0
    this.#named = []
    this.#environments = new Set()
    this.#nextAt = this.#options.clock() + INTERVAL_MS
    this.#posting = this.#options.post(messageAbout(count, named, environments)).catch((err) => {
      this.#options.log.error({ err, deadLetters: count }, 'dead letters not reported')
      this.#count += count
      this.#named = [...named, ...this.#named].slice(0, MAX_NAMED)
      this.#environments = new Set([...environments, ...this.#environments])
    })
    await this.#posting
    this.#posting = undefined
    this.#plan()
  }
}

function messageAbout(count: number, named: readonly string[], environments: ReadonlySet<string>): ChatItem {
  const more = count - named.length
  const lines = [
    count === 1 ? '1 event was dead-lettered' : `${count} events were dead-lettered`,
    ...named.map((line) => `• ${line}`),
    ...(more > 0 ? [`… and ${more} more`] : [])
  ]
  return { text: lines.join('\n'), details: [...environments].join(', ') }
}

function lineAbout({ type, asset }: AssetEvent, { processor, code, message }: DeadLetter): string {
  const name = asset?.publicId ?? asset?.assetId
  const what = name === undefined ? type : `${type} of ${cut(singleLine(name), 60)}`
  return cleanText(`${what}: ${processor}: ${code}: ${cut(singleLine(message), MAX_REASON)}`)
}
