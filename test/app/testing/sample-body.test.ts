import t from 'tap'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { sampleBody } from '../../../app/testing/sample-body.ts'

const now = new Date('2026-06-01T12:00:00.000Z')

t.test('builds a sample with time, author and replaced fields', async (t) => {
  const by = (id: string) => ({
    notification_context: { triggered_at: /^2026-06-01T12:00:00.000/, triggered_by: { id } }
  })
  t.match(sampleBody('upload', {}, now), { notification_type: 'upload', tags: [], ...by('222222222222222') })
  t.match(sampleBody('upload', { own: true, publicId: 'bag' }, now), {
    public_id: 'bag',
    ...by(LOCAL_CLOUDINARY.apiKey)
  })
  t.match(sampleBody('upload', { variant: 'raw', body: { tags: ['red'] } }, now), {
    resource_type: 'raw',
    tags: ['red']
  })
})
