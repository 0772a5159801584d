import t from 'tap'
import { type Decision, moderate } from '../../../app/listener.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../../dev/embedded-sqs.ts'
import { CLOUDINARY_FAULTS, hurried } from '../../support/cloudinary-faults.ts'
import { buildListener } from '../../support/listener.ts'

const told: Decision[] = []
const processor = moderate({
  restrict: true,
  tag: 'rejected',
  notify: (decision) => void told.push(decision)
})
const { cloudinary, sqs, atRest, lines } = await buildListener(
  t,
  [hurried(processor, ({ asset }) => asset?.publicId === 'hanging')],
  { retriesSoon: true }
)

const person = cloudinary.ui()
const upload = (publicId: string, resourceType = 'image') =>
  cloudinary.as().upload({ publicId, resourceType, assetFolder: 'shop' }).asset
const decide = async (publicId: string, status: 'approved' | 'rejected', resourceType = 'image') => {
  person.moderate(publicId, status, { resourceType, moderationKind: 'aws_rek' })
  await atRest()
}
const notes = () => lines.filter(({ msg }) => msg === 'event processed').map(({ note }) => note)
const actions = () => cloudinary.calls.map(({ action }) => action)

t.test('a rejected video is quarantined, and restored when it is approved', async (t) => {
  const image = upload('shoe')
  const video = upload('shoe', 'video')
  await decide('shoe', 'rejected', 'video')
  const TOKEN = [{ access_type: 'token' }]
  t.match(video, { assetFolder: 'quarantine', tags: ['rejected'], accessControl: TOKEN })
  await decide('shoe', 'approved', 'video')
  t.match(video, { assetFolder: 'shop', tags: [], accessControl: [], metadata: {} })
  t.match(image, { assetFolder: 'shop', tags: [], accessControl: [] })
  t.match(told, [{ status: 'rejected' }, { status: 'approved' }])
  t.strictSame(notes(), ['quarantined: rejected by aws_rek', 'restored: approved by aws_rek'])
})

t.test('its own changes trigger nothing, and a repeated delivery does nothing', async (t) => {
  const own = cloudinary.cloud().own.apiKey
  const isOwn = ({ body }: { body: string }) => JSON.parse(body).notification_context.triggered_by.id === own
  t.ok(cloudinary.deliveries.some(isOwn))
  const before = cloudinary.calls.length
  t.equal(before, 6)
  const decisions = cloudinary.deliveries.filter(({ notificationType }) => notificationType === 'moderation')
  for (const { url, body, headers } of [...decisions]) {
    t.equal((await fetch(url, { method: 'POST', body, headers })).status, 200)
  }
  await atRest()
  t.equal(cloudinary.calls.length, before)
  t.equal(told.length, 2)
})

t.test('faults of Cloudinary delay a quarantine', async (t) => {
  const asset = upload('slow')
  cloudinary.faults.add({ kind: 'status', status: 503, action: 'explicit', count: 1 })
  cloudinary.faults.add({ kind: 'reset', action: 'explicit', after: true, count: 1 })
  await decide('slow', 'rejected')
  t.match(asset, { assetFolder: 'quarantine', tags: ['rejected'] })
  t.match(
    lines.filter(({ msg }) => msg === 'event failed; will be retried'),
    [{ err: { code: 'CLOUDINARY_UNAVAILABLE' } }, { err: { code: 'CLOUDINARY_UNREACHABLE' } }]
  )
  await decide('slow', 'approved')
  t.match(asset, { assetFolder: 'shop', tags: [] })
  t.equal(told.length, 4)
})

t.test('a time-out, a failure, wrong credentials and a rate limit delay a quarantine', async (t) => {
  const { limited, ...others } = CLOUDINARY_FAULTS
  for (const faults of [others, { limited: limited! }]) {
    for (const [publicId, { fault }] of Object.entries(faults)) {
      upload(publicId)
      cloudinary.faults.add({ ...fault(), action: 'explicit', publicId, count: 1 })
      person.moderate(publicId, 'rejected', { moderationKind: 'aws_rek' })
    }
    await atRest()
  }
  for (const [publicId, { code }] of Object.entries(CLOUDINARY_FAULTS)) {
    t.equal(cloudinary.assets.find(publicId)?.assetFolder, 'quarantine', publicId)
    t.match(
      lines.filter(({ msg, asset }) => msg === 'event failed; will be retried' && asset === publicId),
      [{ err: { code } }],
      publicId
    )
  }
})

t.test('decisions about a deleted asset, and of another kind, change nothing', async (t) => {
  upload('gone')
  upload('kept')
  await decide('kept', 'rejected')
  person.moderate('kept', 'approved', { moderationKind: 'webpurify' })
  person.moderate('gone', 'rejected')
  person.destroy('gone')
  await atRest()
  t.equal(cloudinary.assets.find('kept')?.assetFolder, 'quarantine')
  t.match(notes().slice(-2).sort(), [/^skipped: rejected by aws_rek/, /^skipped: the asset was deleted/])
  t.ok(actions().every((action) => ['explicit', 'tags', 'resource_by_asset_id'].includes(action)))
  t.strictSame(sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)?.messages.ready, [])
})
