import t from 'tap'
import { KNOWN_TYPES, OWN_TYPES } from '../../app/ingest/event-types.ts'
import { eventDocuments } from '../../dev/event-documents.ts'
import { sampleEvent } from '../support/events.ts'

const documents = eventDocuments()

t.test('has a page and a schema of each type, and an index', async (t) => {
  const names = KNOWN_TYPES.flatMap((type) => [`${type}.md`, `${type}.schema.json`])
  t.strictSame([...documents.keys()].toSorted(), ['README.md', ...names].toSorted())
  for (const type of KNOWN_TYPES) t.match(documents.get('README.md'), `| [\`${type}\`](${type}.md) |`)
})

t.test('a page has the fields with types, and the sample', async (t) => {
  const page = documents.get('resource_tags_changed.md')
  t.match(page, '| `added` | list of string |  | ')
  t.match(page, '| `updated` | list of string | optional | ')
  t.match(page, '| `notification_context.triggered_by.id` | string or null | optional | The calling')
  t.match(page, '| `notification_context.triggered_at` | string or number | optional |')
  t.match(page, '"notification_type": "resource_tags_changed"')
  t.match(documents.get('eager.md'), '| `eager[].width` | number | optional | In pixels. |')
  t.match(documents.get('upload.md'), '| `context.custom` | object of string | optional |')
  t.match(documents.get('upload.md'), '| `info` | object | optional |')
  t.match(documents.get('info.md'), '| `info_data` | any | optional |')
  t.match(documents.get('resource_context_changed.md'), 'list of (string or object) or object')
})

t.test('a schema requires what each sample has, and allows other fields', async (t) => {
  for (const type of KNOWN_TYPES) {
    const schema = JSON.parse(documents.get(`${type}.schema.json`) ?? '')
    t.match(schema, { title: type, type: 'object', additionalProperties: {} })
    if (OWN_TYPES.some((own) => own === type)) continue
    const { payload } = sampleEvent(type)
    t.strictSame(
      schema.required.filter((name: string) => !(name in payload)),
      [],
      type
    )
  }
})
