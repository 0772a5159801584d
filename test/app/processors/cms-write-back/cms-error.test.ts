import t from 'tap'
import { cmsError, unless } from '../../../../app/processors/cms-write-back/cms-error.ts'

const errorOf = (status: number | undefined, reason = 'why', secrets: string[] = []) =>
  cmsError({ call: 'CMS: update entry', status, reason, secrets })

t.test('maps statuses to codes', async (t) => {
  for (const [status, code, name] of [
    [undefined, 'CMS_UNAVAILABLE', 'ListenerError'],
    [408, 'CMS_UNAVAILABLE', 'ListenerError'],
    [429, 'CMS_UNAVAILABLE', 'ListenerError'],
    [500, 'CMS_UNAVAILABLE', 'ListenerError'],
    [503, 'CMS_UNAVAILABLE', 'ListenerError'],
    [401, 'CMS_UNAUTHORIZED', 'ListenerError'],
    [403, 'CMS_UNAUTHORIZED', 'ListenerError'],
    [409, 'CMS_CONFLICT', 'ListenerError'],
    [404, 'CMS_NOT_FOUND', 'PermanentError'],
    [400, 'CMS_REJECTED', 'PermanentError'],
    [422, 'CMS_REJECTED', 'PermanentError']
  ] as const) {
    t.match(errorOf(status), { code, name })
  }
  t.equal(errorOf(undefined).message, 'CMS: update entry: why')
  t.equal(errorOf(422).message, 'CMS: update entry: 422 why')
})

t.test('contains no secret, and one line of limited length', async (t) => {
  const { message } = errorOf(400, `token s3cret\nat https://cms.example.com/path?x=1 ${'x'.repeat(400)}`, [
    's3cret'
  ])
  t.match(message, 'token [secret] at https://cms.example.com/…')
  t.ok(message.length < 340)
})

t.test('returns undefined for the given codes only', async (t) => {
  t.equal(await unless(['CMS_CONFLICT'], async () => 1), 1)
  t.equal(await unless(['CMS_CONFLICT'], () => Promise.reject(errorOf(409))), undefined)
  await t.rejects(
    unless(['CMS_CONFLICT'], () => Promise.reject(errorOf(404))),
    { code: 'CMS_NOT_FOUND' }
  )
  await t.rejects(
    unless(['CMS_CONFLICT'], () => Promise.reject(new Error('other'))),
    { message: 'other' }
  )
})
