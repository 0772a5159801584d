import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { explainLoadError, shownPath } from '../../../app/listener-config/load-error.ts'

const LISTENER = JSON.stringify(join(process.cwd(), 'app/listener.ts'))

let runs = 0

/** Returns the explanation for `entry.ts` with these files beside it, without its directory. */
async function explain(t: Test, files: Record<string, string>, entry = 'entry.ts'): Promise<string> {
  // a separate path, since Node.js caches modules
  runs += 1
  const beside = { 'there.ts': 'export const there = 1', folder: { 'index.ts': '' } }
  const directory = join(t.testdir({ [runs]: { ...beside, ...files } }), String(runs))
  const file = join(directory, entry)
  const error = await import(pathToFileURL(file).href).then(
    () => t.fail('it can be loaded'),
    (reason: unknown) => reason
  )
  return explainLoadError(error, file).replaceAll(`${shownPath(directory)}/`, '')
}

t.test('names the line of unsupported TypeScript and what to write instead', async (t) => {
  for (const [source, said] of [
    [
      '\n\nenum Color { Red }',
      /^entry\.ts:3: .*enum is not supported.*; write `const Color = .* as const` instead$/
    ],
    ['namespace A { export const a = 1 }', /^entry\.ts:1: .*; export its members from a file of their own/],
    ['class A {\n  constructor(private a: number) {}\n}', /^entry\.ts:2: .*; declare the field in the class/],
    ["import fs = require('fs')", /^entry\.ts:1: .*; write `import name from '…'` instead$/],
    ['const a = 1\nexport = a', /^entry\.ts:2: .*; write `export default` instead$/],
    ['const a = <number>1', /^entry\.ts:1: .*use the 'as' syntax: `expr as T`\.$/]
  ] as const) {
    t.match(await explain(t, { 'entry.ts': source }), said)
  }
  const other = Object.assign(new SyntaxError('TypeScript novelty is not supported'), {
    code: 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
  })
  t.match(explainLoadError(other, '/x.ts'), /novelty is not supported; use only/)
})

t.test('names file and line of a syntax error', async (t) => {
  const broken = 'export default {\n  a: 1\n  b: 2\n}'
  t.match(await explain(t, { 'entry.ts': broken }), /^entry\.ts:3: syntax error: Expected ','/)
  const imported = { 'entry.ts': "import './own.ts'", 'own.ts': broken }
  t.match(await explain(t, imported), /^own\.ts:3: syntax error/)
  // Node.js does not report the location
  t.match(
    await explain(t, { 'entry.mjs': broken }, 'entry.mjs'),
    /^entry\.mjs: .*; `node --check entry\.mjs` shows/
  )
})

t.test('names the line of an unresolved import and what to do', async (t) => {
  for (const [specifier, said] of [
    ['./nowhere.ts', 'entry.ts:2: it imports nowhere.ts, which does not exist'],
    ['./there', 'entry.ts:2: it imports there, which is not a file; import there.ts instead'],
    ['./there.js', 'entry.ts:2: it imports there.js, which is not a file; import there.ts instead'],
    ['./folder', 'entry.ts:2: it imports folder, which is not a file; import folder/index.ts instead'],
    [
      'no-such-package',
      'entry.ts:2: the package no-such-package is not installed; run `npm install no-such-package`'
    ],
    ['@no/such/part.js', 'entry.ts:2: the package @no/such is not installed; run `npm install @no/such`']
  ] as const) {
    t.equal(await explain(t, { 'entry.ts': `\nimport '${specifier}'` }), said)
  }
  t.match(
    await explain(t, { 'entry.ts': "import './data.json'", 'data.json': '{}' }),
    /; add `with \{ type: 'json' \}` to the import$/
  )
  const computed = "await import(['.', 'now' + 'here.ts'].join('/'))"
  t.equal(await explain(t, { 'entry.ts': computed }), 'entry.ts: it imports nowhere.ts, which does not exist')
  const virtual = Object.assign(new Error("Cannot find package 'a' imported from /no/where.ts"), {
    code: 'ERR_MODULE_NOT_FOUND'
  })
  t.match(explainLoadError(virtual, '/x.ts'), /^\/no\/where\.ts: the package a is not installed/)
})

t.test('names the line of an import of a missing export', async (t) => {
  t.equal(
    await explain(t, { 'entry.ts': "import {\n  nothing\n} from './there.ts'\nexport default nothing" }),
    'entry.ts:2: ./there.ts has no export nothing; check the name, or write `import type` if it is a type'
  )
})

t.test('reports a missing file', async (t) => {
  t.match(await explain(t, {}), /^entry\.ts: no such file; .*LISTENER_CONFIG/)
})

t.test("names the user's line of a thrown error", async (t) => {
  t.equal(await explain(t, { 'entry.ts': "\nthrow new TypeError('boom')" }), 'entry.ts:2: TypeError: boom')
  t.match(
    await explain(t, { 'entry.mjs': 'module.exports = 1' }, 'entry.mjs'),
    /^entry\.mjs:1: ReferenceError: module/
  )
  const bad = `import { defineListener, helloWorldTag } from ${LISTENER}
    export default defineListener({
      processors: [helloWorldTag(), { name: 'x' }] })`
  t.equal(
    await explain(t, { 'entry.ts': bad }),
    'entry.ts:2: processor "x" needs `on`, a list of event types'
  )
  const option = `import { helloWorldTag } from ${LISTENER}\nhelloWorldTag({ tag: 5 })`
  t.match(await explain(t, { 'entry.ts': option }), /^entry\.ts:2: helloWorldTag: /)
  t.match(
    await explain(t, { 'entry.ts': "throw 'a text'" }),
    /^entry\.ts throws a value that is not an Error: a text$/
  )
})

t.test('attributes an error without a location to the entry file', async (t) => {
  for (const stack of [undefined, 'Error: late\n    at run (node:internal/x:1:1)']) {
    t.equal(
      explainLoadError(Object.assign(new Error('late'), { stack }), '/else/x.ts'),
      '/else/x.ts: Error: late'
    )
  }
})
