import { existsSync, globSync, readFileSync } from 'node:fs'
import t from 'tap'

t.test('every test file runs in one group, or on its own', async (t) => {
  const included = readFileSync('.taprc', 'utf8')
  const alone = /test\/\{(.*)\}\/\*\.test\.ts/.exec(included)![1]!.split(',')
  // `npm run test:browser` runs those of the browser. What `npm run new` writes is compared: test/dev/new.test.ts
  const files = globSync('test/**/*.test.ts').filter(
    (file) => !/^test\/(browser|types\/scaffold)\//.test(file)
  )
  t.ok(files.length > 100)
  const found = files.map((file) => {
    const [, folder, subfolder] = file.split('/') as [string, string, string]
    if (folder === 'processors') return [file, 1]
    const isTop = subfolder.endsWith('.test.ts')
    const groups = [isTop ? `test/${folder}.group.ts` : `test/${folder}/${subfolder}.group.ts`]
    return [
      file,
      groups.filter((group) => existsSync(group)).length + (isTop && alone.includes(folder) ? 1 : 0)
    ]
  })
  t.strictSame(
    found.filter(([, times]) => times !== 1),
    []
  )
})
