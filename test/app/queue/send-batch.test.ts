import t from 'tap'
import { ListenerError } from '../../../app/errors.ts'
import { sendBatch } from '../../../app/queue/send-batch.ts'

type Response = Awaited<ReturnType<Parameters<typeof sendBatch>[1]>>

const settle = (response: Response, items: object[] = [{}, {}, {}]) => sendBatch(items, async () => response)

t.test('gives each entry an id', async (t) => {
  const sent: object[] = []
  await sendBatch([{ Body: 'a' }, { Body: 'b' }], async (entries) => {
    sent.push(...entries)
    return {}
  })
  t.strictSame(sent, [
    { Body: 'a', Id: '0' },
    { Body: 'b', Id: '1' }
  ])
})

t.test('returns the outcome of each entry, in order', async (t) => {
  const [first, second, third, ...more] = await settle({
    Successful: [{ Id: '2' }, { Id: '0' }],
    Failed: [{ Id: '1', Code: 'InternalError', Message: 'try again' }]
  })
  t.strictSame(first, { ok: true, value: undefined })
  t.match(second, {
    ok: false,
    error: { name: 'ListenerError', code: 'InternalError', message: 'try again' }
  })
  t.strictSame(third, { ok: true, value: undefined })
  t.strictSame(more, [])
})

t.test('matches each failure to its entry', async (t) => {
  const all = await settle({
    Failed: [
      { Id: '2', Code: 'Throttled' },
      { Id: '0', Code: 'InternalError' },
      { Id: '1', Code: 'InvalidParameterValue' }
    ]
  })
  t.match(all, [
    { ok: false, error: { code: 'InternalError' } },
    { ok: false, error: { code: 'InvalidParameterValue' } },
    { ok: false, error: { code: 'Throttled' } }
  ])
})

t.test('describes a failure without a message', async (t) => {
  t.match(await settle({ Failed: [{ Id: '0', Code: 'InternalError' }] }, [{}]), [
    { ok: false, error: { code: 'InternalError', message: /\w/ } }
  ])
})

t.test('treats an entry that the response omits as failed', async (t) => {
  for (const response of [{}, { Successful: [], Failed: [] }, { Successful: [{ Id: undefined }] }]) {
    const all = await settle(response)
    t.equal(all.length, 3)
    for (const each of all) {
      t.match(each, { ok: false, error: { code: 'NoAnswer' } })
      t.ok(!each.ok && each.error instanceof ListenerError)
    }
  }
})

t.test('ignores null elements', async (t) => {
  const all = await settle({
    Successful: [null, { Id: '0' }],
    Failed: [null, { Id: '1', Code: 'InternalError' }]
  })
  t.match(all, [
    { ok: true },
    { ok: false, error: { code: 'InternalError' } },
    { ok: false, error: { code: 'NoAnswer' } }
  ])
})
