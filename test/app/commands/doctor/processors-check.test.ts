import t from 'tap'
import { processors } from '../../../../app/commands/doctor/processors-check.ts'

const signal = new AbortController().signal
const processor = (name: string) => ({ name, on: ['upload'] as const, handle: () => {} })

t.test('lists the processors', async (t) => {
  const load = async () => ({ processors: [processor('a'), processor('b')] })
  t.strictSame(await processors({ path: './x.ts', load, config: {} }).run(signal), [
    { level: 'ok', message: './x.ts: a, b' }
  ])
})

t.test('warns if there are no processors', async (t) => {
  const load = async () => ({ processors: [] })
  t.match(await processors({ path: './x.ts', load, config: {} }).run(signal), [
    { level: 'warning', message: /has no processors/ }
  ])
})

t.test('reports a missing variable of a processor', async (t) => {
  const load = async () => ({ processors: [{ ...processor('sync'), requires: ['DATABASE_URL' as const] }] })
  t.match(await processors({ path: './x.ts', load, config: {} }).run(signal), [
    {
      level: 'fault',
      message: /^DATABASE_URL is not set, and processor "sync" needs it; it must be postgres:/
    }
  ])
  const config = { DATABASE_URL: 'postgres://localhost/x' }
  t.match(await processors({ path: './x.ts', load, config }).run(signal), [{ level: 'ok' }])
})
