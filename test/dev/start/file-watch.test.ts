import { once } from 'node:events'
import { renameSync, rmSync, watch as watchFiles, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { FileWatch } from '../../../dev/start/file-watch.ts'

/** Watched files; `changed` resolves with the next change. */
function build(t: Test, files: Record<string, string> = { 'a.ts': '1', 'b.ts': '1' }) {
  const directory = t.testdir(files)
  const path = (name: string) => join(directory, name)
  const calls: string[][] = []
  let next = Promise.withResolvers<string[]>()
  let busy: Promise<void> | undefined
  const watch = new FileWatch({
    async onChange(changed) {
      const names = changed.map((file) => file.slice(directory.length + 1))
      calls.push(names)
      next.resolve(names)
      next = Promise.withResolvers()
      await busy
    },
    quietMs: 20
  })
  t.teardown(() => watch.stop())
  return {
    watch,
    path,
    calls,
    write: (name: string, text: string) => writeFileSync(path(name), text),
    changed: () => next.promise,
    hold: () => {
      const held = Promise.withResolvers<void>()
      busy = held.promise
      return held.resolve
    }
  }
}

t.test('reports a file that is written, replaced, removed or created', async (t) => {
  const { watch, path, write, changed } = build(t)
  watch.add([path('a.ts'), path('later.ts')])
  for (const change of [
    () => write('a.ts', '2'),
    () => {
      write('.a.ts.swp', '3')
      renameSync(path('.a.ts.swp'), path('a.ts'))
    },
    () => rmSync(path('a.ts'))
  ]) {
    const next = changed()
    change()
    t.strictSame(await next, ['a.ts'])
  }
  const next = changed()
  write('later.ts', '1')
  t.strictSame(await next, ['later.ts'])
})

t.test(
  'reports files that change together once, and ignores unchanged content and other files',
  async (t) => {
    const { watch, path, write, changed, calls } = build(t)
    watch.add([path('a.ts'), path('b.ts')])
    watch.add([path('a.ts')])
    const next = changed()
    write('a.ts', '1')
    write('other.ts', '1')
    write('a.ts', '2')
    write('b.ts', '2')
    t.strictSame(await next, ['a.ts', 'b.ts'])
    // it checks again 20 ms after a change; timers fire in the order of their times
    await setTimeout(100)
    t.equal(calls.length, 1)
  }
)

t.test('reports changes made during a call after it', async (t) => {
  const { watch, path, write, changed, hold, calls } = build(t)
  watch.add([path('a.ts'), path('b.ts')])
  const release = hold()
  const first = changed()
  write('a.ts', '2')
  await first
  const second = changed()
  // the system notifies the older watch, the one under test, first
  const watcher = watchFiles(dirname(path('b.ts')))
  write('b.ts', '2')
  await once(watcher, 'change')
  watcher.close()
  t.equal(calls.length, 1)
  release()
  t.strictSame(await second, ['b.ts'])
})

t.test('tolerates a missing directory, and reports nothing after stop', async (t) => {
  const { watch, path, write, changed, calls, hold } = build(t, { 'a.ts': '1', 'b.ts': '1' })
  watch.add([path('nowhere/x.ts'), path('a.ts')])
  const release = hold()
  const next = changed()
  write('a.ts', '2')
  await next
  watch.stop()
  release()
  write('a.ts', '3')
  await setTimeout(100)
  t.equal(calls.length, 1)
})
