import t from 'tap'
import { databaseSync, lastUpdateTimestamp } from '../../../app/listener.ts'
import { buildListener } from '../../support/listener.ts'
import { QUIET } from '../../support/operator.ts'
import { database, postgres } from './shared-postgres.ts'

// a whole system, on a machine that may be busy
t.setTimeout(180_000)

const FIELD = 'last_update_timestamp'
const IMAGE = { resourceType: 'image' }
const VIDEO = { resourceType: 'video' }

const { DATABASE_URL } = postgres.environment as { DATABASE_URL: string }

t.test('notifications without a kind change only the asset they are about', async (t) => {
  const table = databaseSync({ table: 'kinds' })
  let aheadMs = 0
  const clock = () => Date.now() + aheadMs
  const system = await buildListener(
    t,
    async () => {
      const config = { DATABASE_URL } as never
      await table.migrate!({ config, log: QUIET, print: () => {}, dryRun: false })
      return [table, lastUpdateTimestamp()]
    },
    { environment: { DATABASE_URL }, cloudinary: { oldNotifications: true, clock } }
  )
  const { cloudinary, atRest, lines } = system
  const stampOf = (publicId: string, kind: object) => cloudinary.assets.find(publicId, kind)?.metadata[FIELD]
  const rows = async () => {
    const found = await database.query('look', 'SELECT asset_id FROM kinds ORDER BY asset_id')
    return found.map(({ asset_id }) => asset_id)
  }
  const idsOf = () =>
    cloudinary.assets
      .all()
      .map(({ assetId }) => assetId)
      .toSorted()

  for (const kind of [IMAGE, VIDEO]) cloudinary.ui().upload({ publicId: 'ugc/clip', ...kind })
  await atRest()
  t.strictSame(await rows(), idsOf())

  const before = stampOf('ugc/clip', IMAGE)
  aheadMs = 10_000 // the only time of these notifications is the signature time, in seconds
  await cloudinary.notify({
    notification_type: 'moderation',
    moderation_status: 'rejected',
    moderation_kind: 'google_video_moderation',
    public_id: 'ugc/clip',
    version: 1584658428,
    secure_url: 'https://res.cloudinary.com/c/video/upload/v1584658428/ugc/clip.mp4'
  })
  await atRest()
  t.equal(stampOf('ugc/clip', IMAGE), before, 'the image of its name is not stamped')
  t.ok(String(stampOf('ugc/clip', VIDEO)) > String(before), 'the video is')

  cloudinary.ui().rename('ugc/clip', 'ugc/film', VIDEO)
  await atRest()
  t.strictSame(await rows(), idsOf(), 'a renamed video keeps its row')
  t.match(await database.query('look', "SELECT 1 FROM kinds WHERE public_id = 'ugc/film'"), [{}])

  cloudinary.ui().destroy('ugc/film', VIDEO)
  await atRest()
  t.strictSame(await rows(), idsOf())
  t.equal(idsOf().length, 1)
  t.strictSame(
    lines.filter(({ msg }) => msg === 'event dead-lettered'),
    []
  )

  await cloudinary.notify({
    notification_type: 'delete',
    resources: [{ public_id: 'ugc/clip', version: 1584658428 }]
  })
  await atRest()
  t.match(
    lines.filter(({ msg }) => msg === 'event dead-lettered'),
    [{ processor: 'database-sync', err: { code: 'ASSET_KIND_UNKNOWN' } }],
    'where nothing says which asset it is, the event is dead-lettered'
  )
  t.strictSame(await rows(), idsOf())
})
