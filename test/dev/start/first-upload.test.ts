import t, { type Test } from 'tap'
import { COLLEAGUE, LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { startCloudinary } from '../../../dev/cloudinary/cloudinary-server.ts'
import { sendFirstUpload } from '../../../dev/start/first-upload.ts'
import type { LogLine } from '../../../dev/start/role-process.ts'

const logged = (msg: string, fields: object): LogLine => ({
  role: 'worker',
  level: 'info',
  time: new Date().toISOString(),
  msg,
  ...fields
})

interface UploadOptions {
  /** Adds the log lines that the roles write, and resolves when they are done. */
  atRest: (lines: LogLine[]) => Promise<void>
  journeyMs?: number
}

/** Sends the upload through a stand-in that notifies nobody. */
async function upload(t: Test, { atRest, journeyMs }: UploadOptions) {
  const cloudinary = await startCloudinary({
    environments: [{ ...LOCAL_CLOUDINARY, foreignKeys: [COLLEAGUE] }]
  })
  t.teardown(() => cloudinary.stop())
  const stopping = new AbortController()
  const lines: LogLine[] = []
  const printed: string[] = []
  const ended = sendFirstUpload({
    system: { atRest: () => atRest(lines) },
    cloudinary,
    lines,
    print: (text) => printed.push(text),
    until: stopping.signal,
    journeyMs
  })
  return { ended, cloudinary, stop: () => stopping.abort(), output: () => printed.join('\n') }
}

t.test('prints the journey of the upload, the asset, and the absence of a loop', async (t) => {
  const { ended, cloudinary, output } = await upload(t, {
    atRest: async (lines) => {
      lines.push(logged('event processed', { type: 'upload', processor: 'tag', note: 'tagged' }))
    }
  })
  await ended
  t.ok(cloudinary.assets.find('hello/first-upload'))
  t.match(output(), /0 ms {2}uploaded/)
  t.match(output(), /ms {2}processed {5}upload: tag: tagged/)
  t.match(output(), /tags \[\]/)
  t.match(output(), /own changes: 0/)
})

t.test('shows an upload that is not done in time as far as it has come', async (t) => {
  const { ended, output } = await upload(t, {
    journeyMs: 50,
    atRest: (lines) => {
      lines.push(
        logged('event failed; will be retried', {
          level: 'warn',
          type: 'upload',
          processor: 'cms',
          err: { type: 'Error', code: 'CMS_UNAVAILABLE', message: 'the CMS does not answer' },
          retryInSeconds: 2
        })
      )
      return new Promise(() => {})
    }
  })
  await ended
  t.match(output(), /ms {2}failed {8}upload: cms: Error: the CMS does not answer/)
  t.match(output(), /not done yet, after 0\.05 s: cms is being retried \(CMS_UNAVAILABLE\)\./)
  t.notMatch(output(), /own changes/)
})

t.test('points at the lines above where an upload is late without a failure', async (t) => {
  const { ended, output } = await upload(t, { journeyMs: 20, atRest: () => new Promise(() => {}) })
  await ended
  t.match(output(), /not done yet, after 0\.02 s: the lines above/)
})

t.test('prints nothing when it is stopped', async (t) => {
  const { ended, stop, output } = await upload(t, { atRest: () => new Promise(() => {}) })
  stop()
  await ended
  t.equal(output(), '')
})
