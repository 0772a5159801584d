import t from 'tap'
import { lastAttemptIs, noLaterThan, UNFINISHED_OR_ABSENT } from '../../app/journal/write-conditions.ts'
import { DynamoDbModel } from './models/dynamodb.ts'
import { meets } from './models/expressions.ts'
import { SqsQueue } from './models/sqs-queue.ts'
import { Scheduler } from './scheduler.ts'

const everyChance = () => 0.5
const holds = () => false

function startQueue(options = {}) {
  const scheduler = new Scheduler()
  const queue = new SqsQueue({ scheduler, name: 'queue', ...options })
  let number = 0
  return {
    scheduler,
    queue,
    send: (group: string, id = `id-${++number}`) =>
      queue.send({ MessageBody: '{}', MessageGroupId: group, MessageDeduplicationId: id }),
    receive(maximum = 10, VisibilityTimeout = 60) {
      let received: { MessageId: string; ReceiptHandle: string }[] = []
      const input = { QueueUrl: '', MaxNumberOfMessages: maximum, VisibilityTimeout }
      queue.receive(input, everyChance, (answer) => {
        received = 'value' in answer ? ((answer.value as { Messages?: typeof received }).Messages ?? []) : []
      })
      return received
    }
  }
}

t.test(
  'SQS: a group with a message in flight is blocked, one receive may return several of it',
  async (t) => {
    const { scheduler, queue, send, receive } = startQueue()
    for (const group of ['a', 'a', 'b']) send(group)
    const [first] = receive(1)
    t.equal(first?.MessageId, 'queue-0')
    t.strictSame(
      receive().map(({ MessageId }) => MessageId),
      ['queue-2']
    )
    scheduler.now += 60_000
    t.strictSame(
      receive().map(({ MessageId }) => MessageId),
      ['queue-0', 'queue-1', 'queue-2']
    )
    t.match(queue.deleteBatch([{ Id: '0', ReceiptHandle: first!.ReceiptHandle }], holds), {
      Failed: [{ Id: '0', Code: 'InvalidParameterValue' }]
    })
  }
)

t.test('SQS: an id is stored once within five minutes', async (t) => {
  const { scheduler, queue, send } = startQueue()
  const first = send('a', 'same')
  scheduler.now += 299_999
  t.equal(send('a', 'same'), first)
  scheduler.now += 1
  t.not(send('a', 'same'), first)
  t.equal(queue.messages.length, 2)
})

t.test('SQS: deleting twice succeeds; hiding a deleted message does not', async (t) => {
  const { queue, send, receive } = startQueue()
  send('a')
  const [{ ReceiptHandle } = { ReceiptHandle: '' }] = receive()
  for (const _ of [1, 2])
    t.match(queue.deleteBatch([{ Id: '0', ReceiptHandle }], holds), { Successful: [{ Id: '0' }] })
  t.match(queue.changeVisibilityBatch([{ Id: '0', ReceiptHandle, VisibilityTimeout: 1 }], holds), {
    Failed: [{ Code: 'MessageNotInflight' }]
  })
})

t.test('SQS: hides a message for 12 hours at most', async (t) => {
  const { scheduler, queue, send, receive } = startQueue()
  send('a')
  const [{ ReceiptHandle } = { ReceiptHandle: '' }] = receive()
  scheduler.now += 30_000
  const hide = (VisibilityTimeout: number) =>
    queue.changeVisibilityBatch([{ Id: '0', ReceiptHandle, VisibilityTimeout }], holds)
  t.match(hide(43_200), { Failed: [{ Code: 'InvalidParameterValue' }] })
  t.match(hide(43_170), { Successful: [{ Id: '0' }] })
})

t.test('SQS: a message that was received too often moves to the dead-letter queue', async (t) => {
  const deadLetters = startQueue()
  const { scheduler, queue, send, receive } = startQueue({
    deadLetterQueue: deadLetters.queue,
    maxReceiveCount: 2
  })
  send('a')
  for (const expected of [1, 1, 0]) {
    t.equal(receive().length, expected)
    scheduler.now += 60_000
  }
  t.equal(queue.messages.length, 0)
  t.equal(deadLetters.queue.messages[0]?.group, 'a')
})

t.test('DynamoDB: the conditions of the journal', async (t) => {
  const met = (
    { expression, names, values = {} }: typeof UNFINISHED_OR_ABSENT,
    item?: Record<string, unknown>
  ) => meets(expression, item, { names, values })
  t.ok(met(UNFINISHED_OR_ABSENT))
  t.ok(met(UNFINISHED_OR_ABSENT, { status: 'retrying' }))
  t.notOk(met(UNFINISHED_OR_ABSENT, { status: 'done' }))
  t.ok(met(lastAttemptIs('1'), { attemptId: '1' }))
  t.notOk(met(lastAttemptIs('1'), { attemptId: '2' }))
  t.notOk(met(lastAttemptIs('1')))
  const later = noLaterThan('2026-02')
  t.notOk(met(later))
  t.ok(met(later, { status: 'done' }))
  t.ok(met(later, { status: 'done', later: { signedAt: '2026-01' } }))
  t.notOk(met(later, { status: 'done', later: { signedAt: '2026-02' } }))
  t.throws(() => meets('size(#status) > :one', {}, { names: {}, values: {} }), {
    name: 'ValidationException'
  })
})

t.test('DynamoDB: an update sets, keeps and removes attributes, and the index follows later', async (t) => {
  const scheduler = new Scheduler()
  const table = new DynamoDbModel(scheduler, { seed: 1, lagMs: 100 })
  const update = (UpdateExpression: string, values: Record<string, unknown>) =>
    table.perform('Update', {
      Key: { id: 'e1' },
      UpdateExpression,
      ExpressionAttributeNames: { '#a': 'historyKey', '#t': 'receivedAt', '#gone': 'gone' },
      ExpressionAttributeValues: values
    })
  update('SET #a = :a, #t = :t, #gone = :t', { ':a': 'group', ':t': '2026' })
  update('SET #t = if_not_exists(#t, :t) REMOVE #gone', { ':t': '2027' })
  t.strictSame(table.get('e1'), { id: 'e1', historyKey: 'group', receivedAt: '2026' })
  const query = () =>
    (
      table.perform('Query', {
        IndexName: 'history',
        KeyConditionExpression: '#a = :a',
        ExpressionAttributeNames: { '#a': 'historyKey' },
        ExpressionAttributeValues: { ':a': 'group' }
      }) as { Items: object[] }
    ).Items
  t.equal(query().length, 0)
  scheduler.now += 100
  t.equal(query().length, 1)
})

t.test('DynamoDB: an item is deleted some time after its expiry', async (t) => {
  const scheduler = new Scheduler()
  const table = new DynamoDbModel(scheduler, { seed: 1 })
  table.perform('Put', { Item: { id: 'e1', expiresAt: scheduler.now / 1000 + 60 } })
  scheduler.now += 60_000
  t.ok(table.get('e1'))
  scheduler.now += 48 * 3_600_000 + 1
  t.notOk(table.get('e1'))
})
