import { parse } from 'csv-parse/sync'
import t from 'tap'
import { csvBulk } from '../../../app/listener.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../../dev/sqs.ts'
import { buildListener } from '../../support/listener.ts'

const processor = csvBulk(
  {
    folder: 'bulk',
    operations: ['add_tags', 'remove_tags', 'set_metadata', 'set_context', 'rename', 'delete'],
    concurrency: 4
  },
  { sleep: async () => {} }
)
const careful = csvBulk({ name: 'careful', folder: 'careful', operations: ['add_tags'] })
const system = await buildListener(t, [processor, careful])
const { cloudinary, sqs, atRest, lines, logged, restartWorker } = system

const raw = (publicId: string) => cloudinary.assets.find(publicId, { resourceType: 'raw' })
function upload(publicId: string, rows: string[], assetFolder?: string): void {
  cloudinary.as().upload({ publicId, resourceType: 'raw', content: rows.join('\n'), assetFolder })
}
const report = (publicId: string): Record<string, string>[] =>
  parse(raw(publicId)?.content ?? '', { columns: true })
/** What was noted for the events of an asset, in order. */
const notes = (publicId: string) =>
  lines.filter((line) => line.msg === 'event processed' && line.asset === publicId).map(({ note }) => note)
/** The calls for changes of assets with such names, that took effect. */
const changes = (prefix: string) =>
  cloudinary.calls
    .filter(
      ({ action, publicIds, status }) =>
        action === 'tags' && publicIds[0]?.startsWith(prefix) && status === 200
    )
    .map(({ publicIds }) => publicIds[0])

t.test('each row is done, and the report beside the file tells what became of it', async (t) => {
  for (const publicId of ['tagged', 'untagged', 'stamped', 'described', 'old', 'unwanted']) {
    cloudinary.as().upload({ publicId, tags: ['sale'] })
  }
  upload(
    'bulk/june.csv',
    [
      'operation;public_id;tags;to_public_id;metadata.cms_id;context.alt',
      'add_tags;tagged;new, summer',
      'remove_tags;untagged;sale',
      'set_metadata;stamped;;;article-7',
      'set_context;described;;;;"A bag; red"',
      'rename;old;;renamed',
      'delete;unwanted',
      'delete;nobody',
      'add_tags;nobody;new',
      'explode;tagged'
    ],
    'campaigns'
  )
  await atRest()
  t.strictSame(cloudinary.assets.find('tagged')?.tags, ['sale', 'new', 'summer'])
  t.strictSame(cloudinary.assets.find('untagged')?.tags, [])
  t.strictSame(cloudinary.assets.find('stamped')?.metadata, { cms_id: 'article-7' })
  t.strictSame(cloudinary.assets.find('described')?.context, { alt: 'A bag; red' })
  t.ok(cloudinary.assets.find('renamed'))
  t.notOk(cloudinary.assets.find('old'))
  t.notOk(cloudinary.assets.find('unwanted'))

  const { assetFolder, content } = raw('bulk/june.report.csv')!
  t.equal(assetFolder, 'campaigns')
  t.match(String(content), /^row;operation;public_id;outcome;error\n2;add_tags;tagged;ok;\n/)
  t.match(parse(content!, { columns: true, delimiter: ';' }).slice(-4), [
    { row: '7', operation: 'delete', public_id: 'unwanted', outcome: 'ok' },
    { row: '8', public_id: 'nobody', outcome: 'already', error: 'there is no such asset' },
    { row: '9', public_id: 'nobody', outcome: 'failed', error: /no such asset/ },
    { row: '10', operation: 'explode', outcome: 'failed', error: /^its operation must be one of add_tags, / }
  ])
  t.strictSame(notes('bulk/june.csv'), ['9 rows: 6 ok, 1 already so, 2 failed; report: bulk/june.report.csv'])
})

t.test('the report is not run, and neither is what is in another folder', async (t) => {
  t.strictSame(notes('bulk/june.report.csv'), [])
  cloudinary.ui().upload({ publicId: 'bulk/x.report.csv', resourceType: 'raw', content: 'a' })
  upload('elsewhere/june.csv', ['operation,public_id', 'delete,tagged'])
  await atRest()
  t.strictSame([...notes('bulk/x.report.csv'), ...notes('elsewhere/june.csv')], [])
  t.ok(cloudinary.assets.find('tagged'))
})

t.test('an operation that is not allowed fails its row alone', async (t) => {
  upload('careful/a.csv', ['operation,public_id,tags', 'delete,tagged,', 'add_tags,tagged,x'])
  await atRest()
  t.ok(cloudinary.assets.find('tagged')?.tags.includes('x'))
  t.match(report('careful/a.report.csv'), [
    { row: '2', operation: 'delete', outcome: 'failed', error: 'its operation must be one of add_tags' },
    { row: '3', outcome: 'ok', error: '' }
  ])
})

t.test('a header that cannot be used is a dead letter, and the report says why', async (t) => {
  upload('bulk/bad.csv', ['operation,public_id,colour', 'delete,tagged,red'])
  await atRest()
  const message = /^The file is not run: "colour" is no column that is known\. The first row must name /
  t.match(sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)!.messages.ready, [
    {
      messageAttributes: {
        code: { StringValue: 'CSV_HEADER_INVALID' },
        processor: { StringValue: 'csv-bulk' },
        message: { StringValue: message }
      }
    }
  ])
  t.match(report('bulk/bad.report.csv'), [{ row: '', outcome: 'stopped', error: message }])
  t.ok(cloudinary.assets.find('tagged'))
})

t.test('a file goes on where it was, with the worker that comes next', async (t) => {
  const publicIds = Array.from({ length: 50 }, (_, index) => `many-${index}`)
  for (const publicId of publicIds) cloudinary.as().upload({ publicId })
  await atRest()
  // what is changed by then stays changed, and the rest of the file finds Cloudinary down
  cloudinary.faults.add({ kind: 'status', status: 503, when: () => changes('many-').length >= 20 })
  upload('bulk/many.csv', [
    'operation,public_id,tags',
    ...publicIds.map((publicId) => `add_tags,${publicId},x`)
  ])
  await logged(
    ({ msg, asset }) => msg === 'event failed; will be retried' && asset === 'bulk/many.csv'
  )
  const before = changes('many-').length
  t.ok(before < publicIds.length)
  await restartWorker()
  cloudinary.faults.clear()
  await atRest()
  t.strictSame(changes('many-').toSorted(), publicIds.toSorted(), 'each row once')
  t.strictSame(
    report('bulk/many.report.csv').map(({ row, public_id, outcome }) => [row, public_id, outcome]),
    publicIds.map((publicId, index) => [String(index + 2), publicId, 'ok'])
  )
  t.strictSame(notes('bulk/many.csv'), [
    '50 rows: 50 ok, 0 already so, 0 failed; report: bulk/many.report.csv'
  ])
  t.match(
    lines.filter(({ msg }) => msg === 'CSV file goes on').map(({ row }) => row),
    [21]
  )
})

t.test('a notification that comes twice is acted upon once', async (t) => {
  const calls = cloudinary.calls.length
  const uploads = cloudinary.deliveries.filter(({ body }) => JSON.parse(body).resource_type === 'raw')
  t.ok(uploads.length >= 9)
  for (const { body, headers, url } of uploads) {
    t.equal((await fetch(url, { method: 'POST', body, headers })).status, 200)
  }
  await atRest()
  t.equal(cloudinary.calls.length, calls)
})
