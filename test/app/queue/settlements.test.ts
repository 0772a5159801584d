import t from 'tap'
import { ListenerError } from '../../../app/errors.ts'
import { settlements } from '../../../app/queue/settlements.ts'

const entries = [{ Id: '0' }, { Id: '1' }, { Id: '2' }]

t.test('each entry ends as the answer says of it, in the order of the entries', async (t) => {
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

t.test('each failure is that of its own entry', async (t) => {
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

t.test('a failure without a message still says something', async (t) => {
  t.match(settlements([{ Id: '0' }], { Failed: [{ Id: '0', Code: 'InternalError' }] }), [
    { ok: false, error: { code: 'InternalError', message: 'SQS gave no answer for this message' } }
  ])
})

t.test('an entry that the answer leaves out has failed', async (t) => {
  for (const answer of [{}, { Successful: [], Failed: [] }, { Successful: [{ Id: undefined }] }]) {
    const all = settlements(entries, answer)
    t.equal(all.length, 3)
    for (const each of all) {
      t.match(each, { ok: false, error: { code: 'NoAnswer' } })
      t.ok(!each.ok && each.error instanceof ListenerError)
    }
  }
})

t.test('an element that is null does not keep the others from being settled', async (t) => {
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
