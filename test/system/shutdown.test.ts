import t from 'tap'
import { buildSystem } from '../support/system.ts'

/** More than both workers take at once. */
const UPLOADS = 60

t.test('SIGTERM to web and to worker under load loses no acknowledged event', async (t) => {
  // tried again after 1.8, 3.6 and 5.4 s
  const { cloudinary, upload, untagged, atRest, web, workers, lines } = await buildSystem(t, {
    workers: 2,
    // with more, the embedded DynamoDB answers too late on a busy machine
    environment: { WORKER_CONCURRENCY: '20' },
    retryScale: 0.01
  })
  const publicIds = upload(UPLOADS)
  const terminate = (pid: number | undefined) => process.kill(Number(pid), 'SIGTERM')

  const acknowledged = () =>
    cloudinary.deliveries.filter(
      ({ status, notificationType }) => status === 200 && notificationType === 'upload'
    )

  await cloudinary.delivered()
  terminate(web.pid)
  t.ok(acknowledged().length < UPLOADS, 'web has yet to take some')
  await cloudinary.called(({ action }) => action === 'tags')
  terminate(workers[0]?.pid)
  t.not(untagged(publicIds).length, 0, 'the workers have yet to do some')
  await atRest()

  const givenUp = cloudinary.deliveries.filter(({ outcome }) => outcome === 'given_up')
  t.strictSame(givenUp, [], 'Cloudinary got every notification through')
  t.equal(acknowledged().length, UPLOADS)
  t.strictSame(untagged(publicIds), [], 'every acknowledged upload was processed')
  const stopped = lines.filter(({ msg }) => msg === 'stopped').map(({ role }) => role)
  t.strictSame(stopped.sort(), ['web', 'worker'], 'both stopped in good order')
})
