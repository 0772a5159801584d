import t from 'tap'
import { type ExpireOptions, Options } from '../../../../app/processors/expire/expire-options.ts'
import { expirySearch } from '../../../../app/processors/expire/expire-search.ts'
import { compileExpression } from '../../../../dev/cloudinary/search-expression.ts'

const SLOT = new Date('2026-06-01T03:00:00.000Z')
const search = (options: ExpireOptions = {}) => expirySearch(Options.parse(options), SLOT)

t.test('finds what is expired, and what is to be warned of', async (t) => {
  t.equal(search(), 'metadata.expires_on<="2026-06-01" AND NOT tags="expired"')
  t.match(search({ warnDays: [7, 30] }), 'metadata.expires_on<="2026-07-01"')
  t.match(search({ timezone: 'America/New_York' }), 'metadata.expires_on<="2026-05-31"')
  t.match(search({ field: 'licence-end' }), 'metadata.licence-end<=')
})

t.test('leaves out what is dealt with', async (t) => {
  t.match(search({ action: 'restrict', tag: 'closed' }), 'AND NOT tags="closed"')
  t.match(search({ action: 'move', folder: 'archive/old' }), 'AND NOT asset_folder="archive/old"')
  t.equal(search({ action: 'delete' }), 'metadata.expires_on<="2026-06-01"')
})

t.test('adds terms of its own, and escapes values', async (t) => {
  t.match(search({ where: 'type=upload OR type=private' }), / AND \(type=upload OR type=private\)$/)
  const tag = 'a "b" * \\ c'
  const matches = compileExpression(search({ tag }), SLOT.getTime())
  const asset = (tags: string[]) => (name: string) => (name === 'tags' ? tags : '2026-05-01')
  t.equal(matches(asset([])), true)
  t.equal(matches(asset([tag])), false)
})
