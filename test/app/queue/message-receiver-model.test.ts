import assert from 'node:assert/strict'
import fc from 'fast-check'
import { pino } from 'pino'
import t from 'tap'
import { MessageReceiver } from '../../../app/queue/message-receiver.ts'
import type { MessageAction } from '../../../app/queue/message-source.ts'
import { SqsMessageSource } from '../../../app/queue/sqs-message-source.ts'
import { type Entry, failEntries, startSqsFake } from '../../support/sqs-fake.ts'

/**
 * How a message fails before it succeeds: with a retry delay in seconds, by throwing, or by a failed delete.
 */
const failure = fc.oneof(fc.nat(900), fc.constant('throws' as const), fc.constant('is not deleted' as const))
const message = fc.record({
  group: fc.nat(4),
  bytes: fc.integer({ min: 1, max: 40 }),
  failures: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(failure, { maxLength: 2 }) }
  )
})
const model = fc.record({
  concurrency: fc.integer({ min: 1, max: 10 }),
  maximumWaitingBytes: fc.nat(60),
  messages: fc.array(message, { minLength: 1, maxLength: 40 }),
  /** The indexes of the running handlers that end next. */
  picks: fc.infiniteStream(fc.nat())
})

t.test('limits lanes, keeps order and settles every message, under any schedule', async () => {
  await fc.assert(
    fc.asyncProperty(model, async ({ concurrency, maximumWaitingBytes, messages, picks }) => {
      const fake = await startSqsFake()
      const running = new Map<string, { group: string; end: () => void }>()
      const left = new Map<number, string[]>()
      const failures = new Map<string, (number | 'throws' | 'is not deleted')[]>()
      messages.forEach((each, index) => {
        const body = `${index}:`.padEnd(each.bytes, '.')
        failures.set(body, [...each.failures])
        left.set(each.group, [...(left.get(each.group) ?? []), body])
        fake.put(String(each.group), body)
      })
      // the receiver catches what a handler throws
      const violations: string[] = []
      const check = (holds: boolean, rule: string) => void (holds || violations.push(rule))
      const doomed = new Set<string>()
      /** Receive counts of the messages that are hidden by a delay or a failed delete, by body. */
      const resting = new Map<string, number>()
      const rest = (entries: Entry[]) => {
        for (const { ReceiptHandle } of entries) {
          const message = fake.messages().find(({ body }) => body === fake.bodyOf(ReceiptHandle))
          if (message) resting.set(message.body, message.receives)
        }
        fake.changed()
      }
      fake.always('ChangeMessageVisibilityBatch', async (applyCall, { Entries = [] }) => {
        const answer = await applyCall()
        rest(Entries.filter(({ VisibilityTimeout }) => VisibilityTimeout))
        return answer
      })
      fake.always('DeleteMessageBatch', async (applyCall, input) => {
        const fails = ({ ReceiptHandle }: Entry) => doomed.has(fake.bodyOf(ReceiptHandle) ?? '')
        const failing = (input.Entries ?? []).filter(fails)
        const answer = await failEntries(fails)(applyCall, input)
        rest(failing)
        return answer
      })
      /** Whether the first message of each group is hidden, and the later ones are released. */
      const allRest = () =>
        Object.values(Object.groupBy(fake.messages(), ({ group }) => group)).every(
          ([first, ...others] = []) =>
            first?.receives === resting.get(first?.body ?? '') &&
            others.every(({ hiddenFor }) => hiddenFor === 0)
        )
      const receiver = new MessageReceiver({
        source: new SqsMessageSource({ sqs: fake.client, queueUrl: fake.queueUrl }),
        log: pino({ enabled: false }),
        concurrency,
        maximumWaitingBytes,
        waitTimeSeconds: 20,
        every: () => () => {},
        handle({ body, group }) {
          const order = left.get(Number(group)) ?? []
          check(order[0] === body, 'a message is the first of its group that is left')
          check(
            ![...running.values()].some((other) => other.group === group),
            'one of a group runs at a time'
          )
          const { promise, resolve, reject } = Promise.withResolvers<MessageAction>()
          running.set(body, {
            group,
            end() {
              running.delete(body)
              const next = failures.get(body)?.shift()
              doomed.delete(body)
              if (next === 'is not deleted') doomed.add(body)
              if (next === undefined) order.shift()
              if (next === 'throws') reject(new Error('told to'))
              else
                resolve(typeof next === 'number' ? { kind: 'retry', delaySeconds: next } : { kind: 'delete' })
            }
          })
          check(running.size <= concurrency, 'no more messages run than allowed')
          fake.changed()
          return promise
        }
      })
      receiver.start()
      for (const pick of picks) {
        await fake.until(() => running.size > 0 || allRest())
        if (fake.messages().length === 0) break
        if (running.size === 0) {
          resting.clear()
          fake.advance(900)
        } else [...running.values()][pick % running.size]!.end()
      }
      assert.deepEqual(violations, [])
      assert.deepEqual([...left.values()].flat(), [])
      const stopped = receiver.stop(60_000)
      fake.endPolls()
      await stopped
      await fake.stop()
    }),
    { numRuns: 40 }
  )
})
