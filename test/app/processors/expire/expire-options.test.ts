import t from 'tap'
import { expire } from '../../../../app/listener.ts'
import { Options } from '../../../../app/processors/expire/expire-options.ts'

t.test('has defaults that change little', async (t) => {
  t.strictSame(Options.parse({}), {
    name: 'expire',
    field: 'expires_on',
    warnDays: [],
    warn: 'expires-soon',
    action: 'tag',
    tag: 'expired',
    invalidate: true,
    cron: '0 3 * * *',
    timezone: 'UTC'
  })
})

t.test('rejects invalid options', async (t) => {
  const refused = (options: object, message: RegExp) =>
    t.throws(() => expire(options), { code: 'LISTENER_CONFIG_INVALID', message })
  refused({ name: 'a b' }, /^expire: name: /)
  refused({ field: 'a.b' }, /^expire: field: must be the external id/)
  for (const days of [0, 1.5, -1, 4000]) refused({ warnDays: [days] }, /^expire: warnDays\.0: /)
  refused({ warn: 7 }, /^expire: warn: must be a tag/)
  refused({ warn: 'a,b' }, /^expire: warn: a tag must not contain a comma/)
  refused({ warn: 'expired' }, /^expire: warn: must differ from `tag`/)
  refused({ action: 'destroy' }, /^expire: action: /)
  refused({ action: 'move' }, /^expire: folder: .*needs `folder`/)
  refused({ action: 'tag', folder: 'archive' }, /^expire: folder: /)
  for (const folder of ['', '/archive', 'archive/', 'a//b'])
    refused({ action: 'move', folder }, /^expire: folder: must be a folder/)
  refused({ tag: 'a,b' }, /^expire: tag: /)
  refused({ cron: 'daily' }, /^expire: cron: /)
  refused({ timezone: 'Mars' }, /^expire: timezone: /)
  refused({ where: '' }, /^expire: where: /)
  refused({ dryRun: true }, /^expire: options: /)
})
