import { existsSync, globSync } from 'node:fs'
import t from 'tap'

t.test('every test is run: those of a directory by its group', async (t) => {
  const inDirectories = globSync('test/*/*/**/*.test.ts')
  t.not(inDirectories.length, 0)
  const groups = new Set(inDirectories.map((file) => `${file.split('/', 3).join('/')}.group.ts`))
  for (const group of groups) t.ok(existsSync(group), `${group} imports the tests beside it`)
})
