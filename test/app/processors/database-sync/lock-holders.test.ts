import t from 'tap'
import { ListenerError } from '../../../../app/errors.ts'
import { namingLockHolders } from '../../../../app/processors/database-sync/lock-holders.ts'
import type { Query } from '../../../../app/processors/database-sync/postgres.ts'

const locked = () => Promise.reject(new ListenerError('DATABASE_LOCKED', 'cannot store: 55P03 timeout'))
const answering =
  (rows: object[]): Query =>
  async () =>
    rows as never

t.test('passes on results and other errors', async (t) => {
  const query = () => Promise.reject(new Error('nobody asks'))
  t.equal(await namingLockHolders(query, '"assets"', async () => 'done'), 'done')
  for (const error of [new Error('mine'), new ListenerError('DATABASE_UNAVAILABLE', 'down')]) {
    await t.rejects(
      namingLockHolders(query, '"assets"', () => Promise.reject(error)),
      error
    )
  }
})

t.test('names the sessions that hold a lock', async (t) => {
  const query = answering([
    { pid: 7, user: 'ann', application: 'psql', state: 'idle in transaction', since: '2026-06-01T12:00:00Z' },
    { pid: 8, user: 'bob', application: '', state: null, since: '2026-06-01T12:00:01Z' }
  ])
  await t.rejects(namingLockHolders(query, '"assets"', locked), {
    code: 'DATABASE_LOCKED',
    message:
      'cannot store: 55P03 timeout. Sessions that lock "assets": ' +
      'process 7 of ann (psql, idle in transaction), since 2026-06-01T12:00:00Z; ' +
      'process 8 of bob (state unknown), since 2026-06-01T12:00:01Z'
  })
})

t.test('says if there are no sessions, or they cannot be read', async (t) => {
  const failing = () => Promise.reject(new Error('down'))
  for (const query of [answering([]), failing]) {
    await t.rejects(namingLockHolders(query, '"assets"', locked), { message: /"assets": none any more$/ })
  }
})
