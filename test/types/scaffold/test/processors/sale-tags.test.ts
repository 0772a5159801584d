import t from 'tap'
import { testProcessor } from '../../app/testing.ts'
import { saleTags } from '../../processors/sale-tags.ts'

t.test('handles upload', async (t) => {
  const run = await testProcessor(saleTags(), 'upload')
  t.match(run, { outcome: 'succeeded', note: 'received upload' })
})
