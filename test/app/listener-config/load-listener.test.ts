import { join, relative } from 'node:path'
import t from 'tap'
import { loadListener } from '../../../app/listener-config/load-listener.ts'

const good = `
interface Typed { name: string }
const named: Typed = { name: 'from-file' }
export default { processors: [{ ...named, on: ['upload'], handle () {} }] }
`

const refusal = (message: RegExp) => ({ name: 'ListenerError', code: 'LISTENER_CONFIG_INVALID', message })

t.test('loads a listener by a relative or absolute path', async (t) => {
  const dir = t.testdir({
    'good.ts': good,
    'with space #1.ts': good,
    'plain.mjs': good.replace(/^interface.*$/m, '').replace(': Typed', '')
  })
  for (const name of ['good.ts', 'with space #1.ts', 'plain.mjs']) {
    const path = join(dir, name)
    t.match(await loadListener(path), { processors: [{ name: 'from-file' }] })
    t.match(await loadListener(relative(process.cwd(), path)), { processors: [{ name: 'from-file' }] })
  }
})

t.test('rejects an unloadable file in one line, with the error as cause', async (t) => {
  const path = join(t.testdir({ 'throws.mjs': "throw new Error('at the\\n  top')" }), 'throws.mjs')
  await t.rejects(loadListener(path), {
    ...refusal(/^\S*throws\.mjs:1: Error: at the top$/),
    cause: { message: 'at the\n  top' }
  })
})

t.test('rejects a file whose default export is not a listener', async (t) => {
  const dir = t.testdir({
    'none.ts': 'export const listener = { processors: [] }',
    'null.ts': 'export default null',
    'number.ts': 'export default 5',
    'bad.ts': "export default { processors: [{ name: 'a b' }] }"
  })
  for (const name of ['none.ts', 'null.ts']) {
    await t.rejects(loadListener(join(dir, name)), refusal(/no default export; write `export default/))
  }
  await t.rejects(
    loadListener(join(dir, 'number.ts')),
    refusal(/number\.ts: defineListener needs `processors`/)
  )
  await t.rejects(loadListener(join(dir, 'bad.ts')), refusal(/bad\.ts: processor 0 needs a name/))
})
