import { globSync } from 'node:fs'
import { basename } from 'node:path'
import t from 'tap'
import { filesOf, GROUPS } from '../groups/groups.ts'

t.test('every test file runs in exactly one group', async (t) => {
  // `npm run test:browser` runs those of the browser. What `npm run new` writes is compared: test/dev/new.test.ts
  const files = globSync('test/**/*.test.ts').filter(
    (file) => !/^test\/(browser|processors|types\/scaffold)\//.test(file)
  )
  t.ok(files.length > 100)
  t.strictSame(Object.keys(GROUPS).flatMap(filesOf).toSorted(), files.toSorted())
})

t.test('tap runs every group', async (t) => {
  const started = globSync('test/groups/[0-9]*.ts').map((file) => basename(file, '.ts'))
  t.strictSame(started.toSorted(), Object.keys(GROUPS).toSorted())
})
