import t from 'tap'
import { ListenerError } from '../../../app/errors.ts'
import { settlements } from '../../../app/queue/settlements.ts'

const entries = [{ Id: '0' }, { Id: '1' }, { Id: '2' }]

t.test('returns the outcome of each entry, in order', async (t) => {
  const [first, second, third, ...more] = settlements(entries, {
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
  const all = settlements(entries, {
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
  t.match(settlements([{ Id: '0' }], { Failed: [{ Id: '0', Code: 'InternalError' }] }), [
    { ok: false, error: { code: 'InternalError', message: /\w/ } }
  ])
})

t.test('treats an entry that the response omits as failed', async (t) => {
  for (const response of [{}, { Successful: [], Failed: [] }, { Successful: [{ Id: undefined }] }]) {
    const all = settlements(entries, response)
    t.equal(all.length, 3)
    for (const each of all) {
      t.match(each, { ok: false, error: { code: 'NoAnswer' } })
      t.ok(!each.ok && each.error instanceof ListenerError)
    }
  }
})

t.test('ignores null elements', async (t) => {
  const all = settlements(entries, {
    Successful: [null, { Id: '0' }],
    Failed: [null, { Id: '1', Code: 'InternalError' }]
  })
  t.match(all, [
    { ok: true },
    { ok: false, error: { code: 'InternalError' } },
    { ok: false, error: { code: 'NoAnswer' } }
  ])
})
