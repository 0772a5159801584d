import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { basename } from 'node:path'
import { parseEnv } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { writeEnvironmentFile } from '../../../dev/start/environment-file.ts'

const WEBHOOK = 'http://127.0.0.1:1/webhooks/cloudinary'

t.test('writes variables for this user only, and removes them', async (t) => {
  const variables = {
    CLOUDINARY_URL: 'cloudinary://1:secret@demo?upload_prefix=http://127.0.0.1:4000',
    LISTENER_CONFIG: undefined,
    LOG_LEVEL: ''
  }
  const { path, remove } = writeEnvironmentFile(WEBHOOK, variables)
  t.teardown(remove)
  t.strictSame(parseEnv(readFileSync(path, 'utf8')), { CLOUDINARY_URL: variables.CLOUDINARY_URL })
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(basename(path), `cloudinary-listener-${userInfo().uid}-1.env`)
  remove()
  t.notOk(existsSync(path))
  remove()
})

t.test('keeps values of any characters, and leaves out one with all three quotes', async (t) => {
  const values = fc.string({
    unit: fc.constantFrom('a', "'", '`', '"', '\\n', '$', '#', '=', ' ', '{', '\n')
  })
  await fc.assert(
    fc.asyncProperty(values, async (value) => {
      const { path, remove } = writeEnvironmentFile(WEBHOOK, { GIVEN: value, LAST: 'last' })
      t.teardown(remove)
      const isWritten = value !== '' && ["'", '`'].some((quote) => !value.includes(quote))
      const read = parseEnv(readFileSync(path, 'utf8'))
      if (isWritten) t.strictSame(read, { GIVEN: value, LAST: 'last' })
      else t.equal(read.LAST, 'last')
    })
  )
  const { path } = writeEnvironmentFile(WEBHOOK, { GIVEN: '\'`"', DOUBLE: "'`" })
  t.strictSame(parseEnv(readFileSync(path, 'utf8')), { DOUBLE: "'`" })
})

t.test('replaces a file from an earlier start', async (t) => {
  const { path, remove } = writeEnvironmentFile(WEBHOOK, {})
  t.teardown(remove)
  writeFileSync(path, 'QUEUE_URL=old')
  writeEnvironmentFile(WEBHOOK, { QUEUE_URL: 'new' })
  t.strictSame(parseEnv(readFileSync(path, 'utf8')), { QUEUE_URL: 'new' })
})
