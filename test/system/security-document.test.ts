import { existsSync, globSync, readFileSync } from 'node:fs'
import t from 'tap'

const text = readFileSync('SECURITY.md', 'utf8')

/** A file without a folder is in the same folder as the one before it in its line. */
const isFile = (name: string) =>
  existsSync(name) || existsSync(`.github/workflows/${name}`) || globSync(`app/**/${name}`).length === 1

t.test('the threat model names files that exist', async (t) => {
  const names = [...text.matchAll(/`([\w./-]+(?:\.(?:ts|yml|json)|\/)|Dockerfile)`/g)].map(
    ([, name]) => name!
  )
  t.ok(names.length > 20)
  t.strictSame(
    names.filter((name) => !isFile(name)),
    []
  )
})

t.test('the threat model has assets, actors, boundaries, threats and what is not defended', async (t) => {
  for (const heading of ['Assets', 'Actors', 'Trust boundaries', 'Threats', 'Not defended']) {
    t.match(text, new RegExp(`^### ${heading}$`, 'm'))
  }
  const threats = text.slice(text.indexOf('### Threats'), text.indexOf('### Not defended'))
  const rows = threats.split('\n').filter((line) => line.startsWith('| '))
  for (const row of rows) t.equal(row.match(/\|/g)?.length, 4, row.slice(0, 40))
})
