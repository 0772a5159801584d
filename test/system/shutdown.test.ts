import t from 'tap'
import { buildSystem } from '../support/system.ts'

const UPLOADS = 300

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

  await cloudinary.delivered()
  terminate(web.pid)
  await cloudinary.called(({ action }) => action === 'tags')
  terminate(workers[0]?.pid)
  await atRest()

  const acknowledged = cloudinary.deliveries.filter(
    ({ status, notificationType }) => status === 200 && notificationType === 'upload'
  )
  const givenUp = cloudinary.deliveries.filter(({ outcome }) => outcome === 'given_up')
  t.strictSame(givenUp, [], 'Cloudinary got every notification through')
  t.equal(acknowledged.length, UPLOADS)
  t.strictSame(untagged(publicIds), [], 'every acknowledged upload was processed')
  const stopped = lines.filter(({ msg }) => msg === 'stopped').map(({ role }) => role)
  t.strictSame(stopped.sort(), ['web', 'worker'], 'both stopped in good order')
})
