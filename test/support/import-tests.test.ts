import { existsSync, globSync, readFileSync } from 'node:fs'
import t from 'tap'

t.test('every test is run: those of a directory by its group, or by themselves', async (t) => {
  const included = readFileSync('.taprc', 'utf8')
  const directories = new Set(globSync('test/*/*/**/*.test.ts').map((file) => file.split('/', 3).join('/')))
  t.not(directories.size, 0)
  for (const directory of directories) {
    t.not(existsSync(`${directory}.group.ts`), included.includes(`  - ${directory}/*.test.ts\n`), directory)
  }
})
