import t from 'tap'
import { processors } from '../../../../app/operator/checks/processors.ts'

const signal = new AbortController().signal
const processor = (name: string) => ({ name, on: ['upload'] as const, handle: () => {} })

t.test('it says which processors there are', async (t) => {
  const load = async () => ({ processors: [processor('a'), processor('b')] })
  t.strictSame(await processors({ path: './x.ts', load }).run(signal), [
    { level: 'ok', message: './x.ts: a, b' }
  ])
})

t.test('none is worth a warning', async (t) => {
  const load = async () => ({ processors: [] })
  t.match(await processors({ path: './x.ts', load }).run(signal), [
    { level: 'warn', message: /has no processors/ }
  ])
})
