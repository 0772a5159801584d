import { setImmediate as turn } from 'node:timers/promises'
import { pino } from 'pino'
import t from 'tap'
import type { ChatItem } from '../../../../app/processors/chat/chat-message.ts'
import { DeadLetterDigest } from '../../../../app/processors/chat/dead-letter-digest.ts'
import { sampleEvent } from '../../../support/events.ts'

const bag = sampleEvent('upload', { publicId: 'shop/bag' })
const LETTER = { processor: 'tag', code: 'NO_FIELD', message: 'no such\nfield' }

/** A digest with a virtual clock. `errors` are thrown by the posts, in order. */
function build(...errors: (Error | undefined)[]) {
  const posted: ChatItem[] = []
  const lines: object[] = []
  const time = { now: 0 }
  let planned: { at: number; call: () => void } | undefined
  const digest = new DeadLetterDigest({
    async post(item) {
      posted.push(item)
      const error = errors.shift()
      if (error) throw error
    },
    log: pino({}, { write: (line) => void lines.push(JSON.parse(line)) }),
    clock: () => time.now,
    schedule(milliseconds, call) {
      planned = { at: time.now + milliseconds, call }
      return () => {
        planned = undefined
      }
    }
  })
  const advance = async (milliseconds: number) => {
    time.now += milliseconds
    const due = planned && planned.at <= time.now ? planned : undefined
    if (due) {
      planned = undefined
      due.call()
    }
    await turn()
  }
  const add = async (count = 1) => {
    for (let index = 0; index < count; index++) digest.add(bag, LETTER)
    await turn()
  }
  return { digest, add, advance, posted, lines, isPlanned: () => planned !== undefined }
}

t.test('posts the first dead letter at once, with its reason', async (t) => {
  const { add, posted, digest } = build()
  await add()
  t.strictSame(posted, [
    {
      text: '1 event was dead-lettered\n• upload of shop/bag: tag: NO_FIELD: no such field',
      details: 'demo'
    }
  ])
  await digest.stop()
  t.equal(posted.length, 1)
})

t.test('names the asset by its id, or only the type', async (t) => {
  const { digest, posted } = build()
  digest.add({ ...bag, asset: { assetId: 'a1' } }, LETTER)
  digest.add({ ...bag, asset: null, environment: 'second' }, LETTER)
  await digest.stop()
  t.match(posted, [{ text: /• upload of a1: / }, { text: /• upload: tag: /, details: 'second' }])
})

t.test('posts at most one message a minute, with a count', async (t) => {
  const { add, advance, posted } = build()
  await add(40)
  await advance(59_999)
  await add(10)
  t.equal(posted.length, 1)
  await advance(1)
  t.equal(posted.length, 2)
  t.match(posted[1]?.text, /^49 events were dead-lettered\n(?:• .*\n){5}… and 44 more$/)
  await advance(60_000)
  t.equal(posted.length, 2, 'posts nothing if there is nothing')
  await add()
  t.equal(posted.length, 3, 'after a quiet minute at once')
})

t.test('adds dead letters that could not be posted to the next message', async (t) => {
  const { add, advance, posted, lines } = build(new Error('down'))
  await add()
  t.match(lines, [{ level: 50, msg: 'dead letters not reported', deadLetters: 1, err: { message: 'down' } }])
  await add()
  await advance(60_000)
  t.match(posted[1]?.text, /^2 events were dead-lettered\n/)
  await advance(60_000)
  t.equal(posted.length, 2)
})

t.test('posts what is left when it stops, and nothing after that', async (t) => {
  const { add, posted, digest, isPlanned } = build()
  await add(3)
  t.ok(isPlanned())
  await digest.stop()
  t.notOk(isPlanned())
  t.match(posted, [{ text: /^1 event / }, { text: /^2 events / }])
  await add()
  t.equal(posted.length, 2)
  t.notOk(isPlanned())
})

t.test('waits for a post in progress when it stops', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const posted: ChatItem[] = []
  const digest = new DeadLetterDigest({
    async post(item) {
      posted.push(item)
      await promise
    },
    log: pino({ level: 'silent' }),
    clock: () => 0,
    schedule: () => () => {}
  })
  digest.add(bag, LETTER)
  digest.add(bag, LETTER)
  const stopping = digest.stop()
  await turn()
  t.equal(posted.length, 1)
  resolve()
  await stopping
  t.equal(posted.length, 2)
})
