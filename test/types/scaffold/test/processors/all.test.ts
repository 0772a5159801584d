import t from 'tap'
import { testProcessor } from '../../app/testing.ts'
import { all } from '../../processors/all.ts'

t.test('handles upload', async (t) => {
  const run = await testProcessor(all(), 'upload')
  t.match(run, { outcome: 'succeeded', note: 'received upload' })
})
