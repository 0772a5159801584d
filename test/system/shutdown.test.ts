import t from 'tap'
import { buildSystem } from '../support/system.ts'

/** Assets that the worker processes at a time; fewer than it is given. */
const CONCURRENCY = 10
const UPLOADS = 3 * CONCURRENCY

t.test('SIGTERM to web and worker under load loses no acknowledged event', async (t) => {
  // Cloudinary retries after 1.8, 3.6 and 5.4 s
  const { cloudinary, upload, untagged, atRest, web, workers, lines } = await buildSystem(t, {
    environment: { WORKER_CONCURRENCY: String(CONCURRENCY) },
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
  t.ok(acknowledged().length < UPLOADS, 'web has not accepted all uploads yet')
  await cloudinary.called(({ action }) => action === 'tags')
  terminate(workers[0]?.pid)
  t.not(untagged(publicIds).length, 0, 'the worker has not processed all events yet')
  await atRest()

  const givenUp = cloudinary.deliveries.filter(({ outcome }) => outcome === 'given_up')
  t.strictSame(givenUp, [], 'every notification is delivered')
  t.equal(acknowledged().length, UPLOADS)
  t.strictSame(untagged(publicIds), [], 'every acknowledged upload is processed')
  const stopped = lines.filter(({ msg }) => msg === 'stopped').map(({ role }) => role)
  t.strictSame(stopped.sort(), ['web', 'worker'], 'both stop gracefully')
})
