import { existsSync, globSync, readFileSync } from 'node:fs'
import t from 'tap'

t.test('every test file runs in the group of its directory, or on its own', async (t) => {
  const included = readFileSync('.taprc', 'utf8')
  const directories = new Set(globSync('test/*/*/**/*.test.ts').map((file) => file.split('/', 3).join('/')))
  t.not(directories.size, 0)
  for (const directory of directories) {
    t.not(existsSync(`${directory}.group.ts`), included.includes(`  - ${directory}/*.test.ts\n`), directory)
  }
})
