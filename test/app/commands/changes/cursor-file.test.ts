import { readdirSync } from 'node:fs'
import t from 'tap'
import { cursorFile } from '../../../../app/commands/changes/cursor-file.ts'

t.test('reads what it wrote, and leaves no other file', async (t) => {
  const directory = t.testdir()
  const path = `${directory}/cursor`
  t.equal(await cursorFile.read(path), undefined)
  for (const cursor of ['v1.first', 'v1.second']) {
    await cursorFile.write(path, cursor)
    t.equal(await cursorFile.read(path), cursor)
  }
  t.strictSame(readdirSync(directory), ['cursor'])
})

t.test('names the file that cannot be read or written', async (t) => {
  const directory = t.testdir()
  const code = 'CURSOR_FILE_UNUSABLE'
  await t.rejects(cursorFile.read(directory), {
    code,
    message: new RegExp(`^cannot read ${directory}: EISDIR`)
  })
  const nowhere = `${directory}/none/cursor`
  await t.rejects(cursorFile.write(nowhere, 'v1.x'), {
    code,
    message: new RegExp(`^cannot write ${nowhere}: ENOENT`)
  })
})
