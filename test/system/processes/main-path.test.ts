import t from 'tap'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { sampleNotification } from '../../../app/testing/samples.ts'
import { signatureHeaders } from '../../../app/testing/sign.ts'
import type { Delivery } from '../../../dev/cloudinary/cloudinary-server.ts'
import { buildSystem } from '../../support/system.ts'

/** Assets that the worker processes at a time. */
const CONCURRENCY = 10

const { cloudinary, upload, untagged, atRest, web, workers, lines, webhookUrl } = await buildSystem(t, {
  environment: { WORKER_CONCURRENCY: String(CONCURRENCY) },
  // Cloudinary retries after 1.8, 3.6 and 5.4 s
  retryScale: 0.01
})

t.test('an upload is tagged and stamped, and own changes trigger nothing', async (t) => {
  const callsBefore = cloudinary.calls.length
  upload(1)
  await atRest()
  const asset = cloudinary.assets.find('asset-0')
  t.strictSame(asset?.tags, ['Hello World!'])
  t.match(asset?.metadata, { last_update_timestamp: /^\d{4}-\d\d-\d\dT.*Z$/ })

  t.strictSame(cloudinary.deliveries.map(({ notificationType }) => notificationType).sort(), [
    'resource_metadata_changed',
    'resource_tags_changed',
    'upload'
  ])
  const ignored = lines.filter(({ msg }) => msg === 'event ignored')
  t.match(ignored, [{ reason: /own key/ }, { reason: /own key/ }])
  t.strictSame(
    cloudinary.calls.slice(callsBefore).map(({ action }) => action),
    ['tags', 'explicit', 'metadata'],
    'three calls for one upload'
  )
})

t.test('a change by an editor updates the stamp', async (t) => {
  const stamp = () => cloudinary.assets.find('asset-0')?.metadata.last_update_timestamp
  const first = stamp()
  cloudinary.ui().setMetadata('asset-0', { cms_id: 'article-7' })
  await atRest()
  t.ok(String(stamp()) > String(first))
})

t.test('a trace id links the load balancer to the processor', async (t) => {
  const traceId = 'Root=1-67891233-abcdef012345678912345678'
  const body = JSON.stringify(sampleNotification('create_folder'))
  const signature = signatureHeaders(body, LOCAL_CLOUDINARY, Math.floor(Date.now() / 1000))
  const answer = await fetch(webhookUrl, {
    method: 'POST',
    body,
    headers: { ...signature, 'x-amzn-trace-id': traceId }
  })
  t.equal(answer.status, 200)
  await atRest()
  t.strictSame(
    lines
      .filter((line) => line.traceId === traceId)
      .map(({ role, msg }) => [role, msg])
      .sort(),
    [
      ['web', 'notification accepted'],
      ['worker', 'event ignored']
    ]
  )
})

t.test('SIGTERM to web and worker under load loses no acknowledged event', async (t) => {
  // more than the worker processes at a time
  const publicIds = upload(3 * CONCURRENCY, 'load')
  const isOfLoad = ({ notificationType, body }: Delivery) =>
    notificationType === 'upload' && publicIds.includes(JSON.parse(body).public_id)
  const acknowledged = () =>
    cloudinary.deliveries.filter((delivery) => delivery.status === 200 && isOfLoad(delivery))
  const terminate = (pid: number | undefined) => process.kill(Number(pid), 'SIGTERM')

  await cloudinary.delivered(isOfLoad)
  terminate(web.pid)
  t.ok(acknowledged().length < publicIds.length, 'web has not accepted all uploads yet')
  await cloudinary.called(({ action, publicIds: [one] }) => action === 'tags' && publicIds.includes(one!))
  terminate(workers[0]?.pid)
  t.not(untagged(publicIds).length, 0, 'the worker has not processed all events yet')
  await atRest()

  const givenUp = cloudinary.deliveries.filter(({ outcome }) => outcome === 'given_up')
  t.strictSame(givenUp, [], 'every notification is delivered')
  t.equal(acknowledged().length, publicIds.length)
  t.strictSame(untagged(publicIds), [], 'every acknowledged upload is processed')
  const stopped = lines.filter(({ msg }) => msg === 'stopped').map(({ role }) => role)
  t.strictSame(stopped.sort(), ['web', 'worker'], 'both stop gracefully')
})
